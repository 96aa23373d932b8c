package output

import (
	"bytes"
	"strings"
	"testing"
)

type named struct {
	Name string `json:"name"`
}

func (named) DocumentKind() string { return "Named" }
func (named) Tables(bool) []Table  { return nil }

func TestYAMLTakesAnyText(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "a\x7fb", "\u0085\u009f", "\ufffe\uffff", "tab\tnul\x00", "é日本"} {
		var b bytes.Buffer
		if err := Write(&b, Options{Format: AsYAML}, named{name}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if !strings.Contains(b.String(), "kind: Named") {
			t.Errorf("%q: %s", name, b.String())
		}
	}
}
