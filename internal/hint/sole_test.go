package hint

import "testing"

func TestSoleIsOnlyWhatCannotBeAnythingElse(t *testing.T) {
	t.Parallel()
	known := []string{"host", "hosts", "destination", "port", "SIMPLE", "MUTUAL", "tls"}
	for name, want := range map[string]string{
		"destnation": "destination", "destniatoin": "destination", "simple": "SIMPLE", "simpel": "SIMPLE",
		"hosst": "", "host": "host", "post": "", "tsl": "tls", "ls": "", "mutable": "", "route": "", "": "",
	} {
		if got := Sole(name, known); got != want {
			t.Errorf("Sole(%q) = %q, want %q", name, got, want)
		}
	}
}
