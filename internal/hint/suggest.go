package hint

import "fmt"

// DidYouMean is the question that names the known word closest to name, such
// as `did you mean "demo"?`, or "" when none is close.
func DidYouMean(name string, known []string) string {
	if best := Closest(name, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return ""
}

// Closest is the known word with the smallest edit distance to name, at most a
// third of its length (but always at least two edits for words over three
// letters); "" when none is that close. Ties go to the first in known.
func Closest(name string, known []string) string {
	limit := max(len(name)/3, 1)
	if len(name) > 3 {
		limit = max(limit, 2)
	}
	best, bestDistance := "", limit+1
	for _, k := range known {
		if d := distance(name, k, bestDistance); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// Sole is the only known word that name can be a typing error of: the same but
// for case, or else one edit away, two from eight letters on. It is "" when
// several are, so that one may correct without asking.
func Sole(name string, known []string) string {
	limit := 1
	if len(name) >= 8 {
		limit = 2
	}
	var near []string
	for _, k := range known {
		switch d := distance(name, k, limit+1); {
		case d == 0:
			return k
		case d <= limit:
			near = append(near, k)
		}
	}
	if len(near) != 1 || len(name) < 3 {
		return ""
	}
	return near[0]
}

// distance counts insertions, deletions, substitutions and swaps of
// neighbours, without case; it gives up and returns bound when it is reached.
func distance(a, b string, bound int) int {
	// A rune has at most four bytes: too many more bytes are too many more runes.
	if len(a) > 4*(len(b)+bound) || len(b) > 4*(len(a)+bound) {
		return bound
	}
	ra, rb := []rune(fold(a)), []rune(fold(b))
	if abs(len(ra)-len(rb)) >= bound {
		return bound
	}
	for len(ra) > 0 && len(rb) > 0 && ra[0] == rb[0] {
		ra, rb = ra[1:], rb[1:]
	}
	for len(ra) > 0 && len(rb) > 0 && ra[len(ra)-1] == rb[len(rb)-1] {
		ra, rb = ra[:len(ra)-1], rb[:len(rb)-1]
	}
	before, above, row := make([]int, len(rb)+1), make([]int, len(rb)+1), make([]int, len(rb)+1)
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > bound { // a swap can win back one
			return bound
		}
		before, above, row = above, row, before
	}
	return min(above[len(rb)], bound)
}

func fold(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
