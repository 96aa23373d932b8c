package install

import "testing"

func TestGuardBringsTheDefaultValidator(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   Inputs
		want bool
	}{
		"manifest generate": {Inputs{}, false},
		"install":           {Inputs{Guard: true}, true},
		"a revision":        {Inputs{Guard: true, Revision: "canary"}, false},
		"the user's no":     {Inputs{Guard: true, Set: []string{"values.defaultRevision="}}, false},
		"nothing installed": {Inputs{Guard: true, Profile: "empty"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec, err := Resolve(c.in)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Render(spec)
			if err != nil {
				t.Fatal(err)
			}
			got := false
			for _, o := range m.Objects() {
				got = got || o.GetName() == "istiod-default-validator"
			}
			if got != c.want {
				t.Errorf("istiod-default-validator rendered: %v, want %v", got, c.want)
			}
		})
	}
}
