package upgrade

import (
	"bytes"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

// TestEmptyPlan has arrays, not nulls, where there is nothing to say.
func TestEmptyPlan(t *testing.T) {
	t.Parallel()
	plan, err := New(Input{From: "1.31.0", To: "1.31.1", Embedded: "1.31.1", Snapshot: mesh.New(nil, mesh.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := output.Write(&b, output.Options{Format: output.AsJSON}, plan); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "null") {
		t.Errorf("a null in\n%s", &b)
	}
	if plan.Work() {
		t.Errorf("work where nothing is: %v", plan.Findings)
	}
}

// TestReadsOnlyWhatTheWayNeeds leaves out the kinds of rules that do not lie
// on the way.
func TestReadsOnlyWhatTheWayNeeds(t *testing.T) {
	t.Parallel()
	count := func(from, to string) int {
		kinds, err := Reads(from, to)
		if err != nil {
			t.Fatal(err)
		}
		return len(kinds)
	}
	patch, minor, all := count("1.31.0", "1.31.1"), count("1.30.0", "1.31.1"), count("", "1.31.1")
	if patch >= minor || minor >= all {
		t.Errorf("%d kinds for a patch, %d for a minor release, %d for all", patch, minor, all)
	}
	if _, err := Reads("", "soon"); err == nil {
		t.Error("soon is taken for a version")
	}
}
