package output

import (
	"strings"
	"testing"
)

// TestDiffNumbersHunks has two changes in the first hunk, which add a line:
// the second hunk begins a line further down.
func TestDiffNumbersHunks(t *testing.T) {
	t.Parallel()
	before := "a\n1\n2\n3\nb\n" + strings.Repeat("same\n", 20) + "c\n"
	after := "A\n1\n2\n3\nB\nB\n" + strings.Repeat("same\n", 20) + "C\n"
	want := []string{"@@ -1,8 +1,9 @@", "@@ -23,4 +24,4 @@"}
	var got []string
	for line := range strings.Lines(Diff("x", "x", before, after)) {
		if strings.HasPrefix(line, "@@") {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the hunks are %q, want %q", got, want)
	}
	if Diff("x", "x", before, before) != "" {
		t.Error("equal texts differ")
	}
}

func TestDiffOfNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after, want string }{
		{"", "a\nb\n", "@@ -0,0 +1,2 @@\n"},
		{"a\nb\n", "", "@@ -1,2 +0,0 @@\n"},
		{"a\n", "b\n", "@@ -1 +1 @@\n"},
	} {
		if diff := Diff("x", "x", c.before, c.after); !strings.Contains(diff, c.want) {
			t.Errorf("%q to %q: %q, want %q", c.before, c.after, diff, c.want)
		}
	}
}
