package hint

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestClosest(t *testing.T) {
	t.Parallel()
	profiles := []string{"ambient", "default", "demo", "empty", "minimal", "remote"}
	for name, want := range map[string]string{
		"dmeo": "demo", "Demo": "demo", "defualt": "default", "minmal": "minimal",
		"zzz": "", "production": "", "": "",
	} {
		if got := Closest(name, profiles); got != want {
			t.Errorf("Closest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestErrorKeepsCauseClassAndHint(t *testing.T) {
	t.Parallel()
	inner := Unanswerablef("check the path", "reading %s: %w", "a.yaml", fs.ErrNotExist)
	err := fmt.Errorf("loading files: %w", inner)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("cause lost")
	}
	if got := ClassOf(err); got != Unanswerable {
		t.Errorf("class = %v", got)
	}
	if got := Of(err); got != "check the path" {
		t.Errorf("hint = %q", got)
	}
	outer := Failf("", "installing: %w", err)
	if got := Of(outer); got != "check the path" {
		t.Errorf("hint of outer error without one = %q", got)
	}
	if ClassOf(errors.New("plain")) != Failed {
		t.Error("a plain error is not Failed")
	}
}
