package mesh

import (
	"regexp"
	"slices"
	"strings"
)

// Unreadable is a part of the files that may hold objects and could not be
// read: a broken document, or a template.
type Unreadable struct {
	Position Position
	// Reason is why, without the position.
	Reason string
	// Text is what stands there; empty when even that is unknown.
	Text string
}

var (
	kindLine = regexp.MustCompile(`(?m)(?:^|[\s,{-])["']?kind["']?\s*:\s*["']?([A-Z][A-Za-z0-9]*)["']?\s*(?:$|[,}#])`)
	nameLine = regexp.MustCompile(`(?m)(?:^|[\s,{])["']?name["']?\s*:\s*["']?([a-z0-9][-a-z0-9.]*)["']?\s*(?:$|[,}#])`)
)

// MayHold says whether an object of the kind may stand there, by what the text
// still tells. Of a workload's kind it is enough that there are containers.
func (u Unreadable) MayHold(kind Kind) bool {
	found := kindLine.FindAllStringSubmatch(u.Text, -1)
	if len(found) == 0 {
		return true
	}
	for _, m := range found {
		if m[1] == kind.Kind {
			return true
		}
	}
	return strings.Contains(u.Text, "containers") && slices.Contains(WorkloadKinds(), kind)
}

// MayBe says whether what is named by any of the words may stand there: the
// text says one of them, or does not tell its names.
func (u Unreadable) MayBe(words []string) bool {
	if len(words) == 0 || strings.Contains(u.Text, "{{") || !nameLine.MatchString(u.Text) || !kindLine.MatchString(u.Text) {
		return true
	}
	return slices.ContainsFunc(words, func(w string) bool { return hasWord(u.Text, w) })
}

// hasWord says whether a text has a word that is no part of a longer name.
func hasWord(text, word string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 || word == "" {
			return false
		}
		start, end := from+at, from+at+len(word)
		if (start == 0 || !nameByte(text[start-1])) && (end == len(text) || !nameByte(text[end])) {
			return true
		}
		from = end
	}
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// Unreadable is what of the files may hold objects and could not be read.
func (s *Snapshot) Unreadable() []Unreadable { return s.options.Unreadable }

// SkippedKinds are the kinds that could not be read, sorted.
func (s *Snapshot) SkippedKinds() []Kind {
	var skipped []Kind
	for k := range s.skipped {
		skipped = append(skipped, k)
	}
	slices.SortFunc(skipped, Kind.Compare)
	return skipped
}

// Concluding is the same snapshot, telling concluded of every kind of whose
// objects somebody learns that what is not there does not exist, and touched
// of every kind that is asked for. Both must be safe for concurrent use.
func (s *Snapshot) Concluding(concluded, touched func(Kind)) *Snapshot {
	earlier := s.touched
	return &Snapshot{content: s.content, concluded: concluded, touched: func(k Kind) {
		touched(k)
		if earlier != nil {
			earlier(k)
		}
	}}
}

// conclude tells who listens that absence of objects of the kinds means something.
func (s *Snapshot) conclude(known bool, kinds ...Kind) bool {
	if known && s.concluded != nil {
		for _, k := range kinds {
			s.concluded(k)
		}
	}
	return known
}
