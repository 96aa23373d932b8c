package measure

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTimeToSay(t *testing.T) {
	t.Parallel()
	cause := regexp.MustCompile("quota")
	for _, c := range []struct {
		script string
		named  bool
		within time.Duration
		last   string
	}{
		{"echo start; echo exceeded quota >&2; sleep 30", true, 10 * time.Second, ""},
		{"echo start; echo not ready >&2; exit 1", false, 10 * time.Second, "not ready"},
		{"echo start; exec sleep 30", false, 10 * time.Second, "start"},
	} {
		said, err := TimeToSay(t.Context(), []string{"/bin/sh", "-c", c.script}, cause, 2*time.Second)
		if err != nil || said.Named != c.named || said.After > c.within || said.Last != c.last {
			t.Errorf("%s: %+v, %v", c.script, said, err)
		}
	}
	if _, err := TimeToSay(t.Context(), []string{"/no/such/program"}, cause, time.Second); err == nil {
		t.Error("a program that is not there")
	}
}

func TestWriteCauses(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	err := WriteCauses(&b, []Named{{"quota", Said{After: 1940 * time.Millisecond, Named: true}, Said{After: 60 * time.Second}}})
	want := "BROKEN BED  MESHCTL NAMES THE CAUSE AFTER  ISTIOCTL\nquota       1.9 s                          not named in 60 s\n"
	if err != nil || b.String() != want {
		t.Errorf("%v\n%s", err, &b)
	}
}
