package ui

import (
	"bytes"
	"strings"
	"testing"
)

func TestScreenDrawsOverWhatWasThere(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := (&IO{Out: &b}).Screen()
	s.Draw("one\ntwo\n")
	first := b.String()
	if want := clearAll + toTop + cutLines + "one" + clearLine + "\r\ntwo" + clearLine + "\r\n" + clearBelow + wrapLines; first != want {
		t.Errorf("%q, want %q", first, want)
	}
	b.Reset()
	s.size = func() (int, int) { return 80, 5 }
	s.Draw("1\n2\n3\n4\n5\n6\n")
	if got := b.String(); strings.Contains(got, clearAll) || !strings.Contains(got, "3"+clearLine+"\r\n... and 3 more lines") || strings.Contains(got, "4"+clearLine) {
		t.Errorf("%q", got)
	}
}
