package meshgen_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/test/bench/meshgen"
)

func TestServicesAreAsManyAsSaidAndTheSameEachTime(t *testing.T) {
	t.Parallel()
	var a, b bytes.Buffer
	counts, err := meshgen.Services(&a, 200)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := meshgen.Services(&b, 200); err != nil {
		t.Fatal(err)
	}
	if a.String() != b.String() {
		t.Error("the same size gives another mesh")
	}
	if strings.Contains(a.String(), "%!") {
		t.Error("a template and its values do not fit")
	}
	if n := strings.Count(a.String(), "\nkind: "); n != counts.Objects {
		t.Errorf("it says %d objects and writes %d", counts.Objects, n)
	}
	if counts.Faults != 4 || counts.Objects < 1600 {
		t.Errorf("unexpected counts %+v", counts)
	}
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	counts, err := meshgen.Routes(&text, 50)
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]int{"VirtualService": 50, "Gateway": 50, "Service": 51} {
		if n := strings.Count(text.String(), "\nkind: "+kind+"\n"); n != want {
			t.Errorf("%d of kind %s, want %d", n, kind, want)
		}
	}
	if strings.Contains(text.String(), "%!") || counts.Objects < 150 {
		t.Errorf("unexpected text, %+v", counts)
	}
}
