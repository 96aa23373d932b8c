package upgrade

import (
	"slices"
	"testing"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.30.10": "1.30.10", "v1.31": "1.31.0", "1.30.2-distroless": "1.30.2", "1.30.2-debug": "1.30.2", "1.31.0-rc.1": "1.31.0-rc.1",
		"1.31.0-rc.1-distroless": "1.31.0-rc.1", "1.28.1-solo": "1.28.1", "1.26.2-tetrate-v0": "1.26.2", "1.24.3-asm.1": "1.24.3",
		"1.32-alpha.0a1b2c": "1.32.0-alpha.0a1b2c",
	} {
		v, err := ParseVersion(text)
		if err != nil || v.String() != want {
			t.Errorf("ParseVersion(%q) = %v, %v; want %s", text, v, err, want)
		}
	}
	for _, text := range []string{"", "latest", "1", "one.two", "0a1b2c3", "sha256:12", "1.x"} {
		if v, err := ParseVersion(text); err == nil {
			t.Errorf("ParseVersion(%q) = %v, want an error", text, v)
		}
	}
}

func TestVersionOrder(t *testing.T) {
	t.Parallel()
	ordered := []string{"1.9.9", "1.30.0-alpha.1", "1.30.0-rc.1", "1.30.0", "1.30.9", "1.30.10", "1.31.0-beta.0", "1.31.0", "1.31.1"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got, want := parse(t, a).Compare(parse(t, b)), sign(i-j); got != want {
				t.Errorf("%s to %s: %d, want %d", a, b, got, want)
			}
		}
	}
	if (Version{}).Compare(parse(t, "1.1.0")) >= 0 || parse(t, "1.1.0").Compare(Version{}) <= 0 {
		t.Error("no version does not come first")
	}
}

func TestBetween(t *testing.T) {
	t.Parallel()
	var rules []*Rule
	for _, minor := range []string{"1.28", "1.29", "1.30", "1.31"} {
		rules = append(rules, &Rule{Version: minor, since: parse(t, minor)})
	}
	rules = append(rules, &Rule{Version: "1.28", since: parse(t, "1.28"), until: parse(t, "1.30")})
	for _, c := range []struct {
		from, to string
		want     []string
	}{
		{"1.29.2", "1.31.1", []string{"1.30", "1.31"}},
		{"1.29.9", "1.30.10", []string{"1.30"}},
		{"1.31.0", "1.31.1", nil},
		{"1.31.1", "1.29.0", nil},
		{"1.27.0", "1.28.0", []string{"1.28", "1.28"}}, // one of them is over with 1.30
		{"1.27.0", "1.30.0-rc.1", []string{"1.28", "1.29", "1.30"}},
		{"1.30.4", "1.31.0-rc.1", []string{"1.31"}}, // a candidate has its release's changes
		{"1.31.0-beta.0", "1.31.1", []string{"1.31"}},
	} {
		var got []string
		for _, r := range between(rules, parse(t, c.from), parse(t, c.to)) {
			got = append(got, r.Version)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s to %s: %v, want %v", c.from, c.to, got, c.want)
		}
	}
}

func TestWay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to, want string
		inPlace, down  bool
	}{
		{"1.31.0", "1.31.1", "1.31", true, false},
		{"1.30.4", "1.31.1", "1.30 -> 1.31", true, false},
		{"1.29.4", "1.31.1", "1.29 -> 1.31", false, false},
		{"1.28.4", "1.31.1", "1.28 -> 1.30 -> 1.31", false, false},
		{"1.25.0", "1.31.1", "1.25 -> 1.27 -> 1.29 -> 1.31", false, false},
		{"1.31.1", "1.30.4", "1.31 -> 1.30", false, true},
	} {
		w := newWay(parse(t, c.from), parse(t, c.to))
		if w.String() != c.want || w.InPlace != c.inPlace || w.Down != c.down {
			t.Errorf("%s to %s: %s, in place %v, down %v", c.from, c.to, w, w.InPlace, w.Down)
		}
	}
}

func TestImageVersion(t *testing.T) {
	t.Parallel()
	label := map[string]string{"app.kubernetes.io/version": "1.30.4"}
	for _, c := range []struct {
		image  string
		labels map[string]string
		want   string
		tag    string
	}{
		{"docker.io/istio/pilot:1.31.1", nil, "1.31.1", "1.31.1"},
		{"registry:5000/istio/pilot:1.30.10-distroless", nil, "1.30.10", "1.30.10-distroless"},
		{"registry:5000/istio/pilot", nil, "", "by digest"},
		{"docker.io/istio/pilot@sha256:0123", label, "1.30.4", ""},
		{"docker.io/istio/pilot:1.29.1@sha256:0123", label, "1.29.1", "1.29.1"},
		{"docker.io/istio/pilot:latest", nil, "", "latest"},
	} {
		v, tag := imageVersion(c.image, c.labels)
		if v.String() != c.want || tag != c.tag {
			t.Errorf("%s: %q %q, want %q %q", c.image, v, tag, c.want, c.tag)
		}
	}
}

func parse(t *testing.T, text string) Version {
	t.Helper()
	v, err := ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sign(n int) int { return max(-1, min(1, n)) }

func TestKeepAt(t *testing.T) {
	t.Parallel()
	k := &Keep{CompatibilityVersion: "1.27", Until: "1.31"}
	if k.at(parse(t, "1.30.9")) != k || k.at(parse(t, "1.31.0-rc.0")) != nil || (*Keep)(nil).at(parse(t, "1.31.1")) != nil {
		t.Error("a switch is there until the release that takes it away")
	}
	forever := &Keep{CompatibilityVersion: "1.27"}
	if forever.at(parse(t, "1.31.1")) != forever {
		t.Error("a switch without end is always there")
	}
}
