package output

import (
	"bytes"
	"strings"
	"testing"
)

type named struct {
	Name string         `json:"name"`
	More map[string]any `json:"more"`
}

func (named) DocumentKind() string { return "Named" }
func (named) Tables(bool) []Table  { return nil }

func TestYAMLTakesAnyText(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain", "a\x7fb", "\u0085\u009f", "\ufffe\uffff", "tab\tnul\x00", "é日本", strings.Repeat("long", 1000)} {
		var b bytes.Buffer
		if err := Write(&b, Options{Format: AsYAML}, named{name, map[string]any{name: 1}}); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if !strings.Contains(b.String(), "kind: Named") {
			t.Errorf("%q: %s", name, b.String())
		}
	}
}

func TestYAMLNumbersAndOrder(t *testing.T) {
	t.Parallel()
	got, err := toYAML([]byte(`{"b":1,"a":[1.5,12345678901234567890,9007199254740993,true,null,"1","on"],"c":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "a:\n- 1.5\n- 1.2345678901234567e+19\n- 9007199254740993\n- true\n- null\n- \"1\"\n- \"on\"\nb: 1\nc: {}\n"
	if string(got) != want {
		t.Errorf("got\n%s", got)
	}
}
