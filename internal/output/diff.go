package output

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/aymanbagabas/go-udiff"
)

// Diff is the unified difference of two texts under the names that patch
// reads; empty when they are equal.
func Diff(from, to, before, after string) string {
	return renumber(udiff.Unified(from, to, before, after))
}

var hunkHeader = regexp.MustCompile(`^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@$`)

// renumber sets where each hunk begins in the new text: the library forgets
// the lines between two changes of one hunk (go-udiff 0.4.1).
func renumber(diff string) string {
	lines := strings.SplitAfter(diff, "\n")
	moved := 0
	for i, line := range lines {
		m := hunkHeader.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			continue
		}
		old, was, is := number(m[1]), count(m[2]), count(m[4])
		if was > 0 && is > 0 && m[3] != "0" {
			lines[i] = fmt.Sprintf("@@ -%s +%s @@\n", span(old, was), span(old+moved, is))
		}
		moved += is - was
	}
	return strings.Join(lines, "")
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// count is how many lines a hunk spans; one when the header does not say.
func count(text string) int {
	if text == "" {
		return 1
	}
	return number(text)
}

func span(start, lines int) string {
	if lines == 1 {
		return strconv.Itoa(start)
	}
	return fmt.Sprintf("%d,%d", start, lines)
}
