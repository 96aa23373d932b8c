package upgrade

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

// target is the version that the cases go to unless they say otherwise.
const target = "1.31.1"

// TestChecks makes plans from the cases of every check:
// testdata/checks/<id>/hit.txtar must have the finding, miss.txtar must not.
// input says from where to where, and the version of Kubernetes.
func TestChecks(t *testing.T) {
	t.Parallel()
	for _, id := range CheckIDs() {
		hits, misses := cases(t, id, "hit"), cases(t, id, "miss")
		if len(hits) == 0 || len(misses) == 0 {
			t.Errorf("testdata/checks/%s needs hit.txtar and miss.txtar", id)
		}
		for _, file := range hits {
			t.Run(file, func(t *testing.T) { t.Parallel(); runCheck(t, id, file, true) })
		}
		for _, file := range misses {
			t.Run(file, func(t *testing.T) { t.Parallel(); runCheck(t, id, file, false) })
		}
	}
}

func cases(t *testing.T, id, name string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "checks", id, name+"*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func runCheck(t *testing.T, id, file string, hit bool) {
	t.Helper()
	archive, plan := planOf(t, file)
	var lines []string
	found := false
	for _, f := range plan.Findings {
		if f.ID != id {
			continue
		}
		found = true
		lines = append(lines, string(f.Severity)+": "+f.Title)
		for _, h := range f.Hits {
			lines = append(lines, "  "+h.String())
		}
	}
	for _, u := range plan.Undecided {
		switch {
		case u.ID != id:
		case id == "older-releases":
			found = true
			lines = append(lines, u.Reason)
		default:
			t.Errorf("%s: undecided: %s", file, u.Reason)
		}
	}
	if found != hit {
		t.Errorf("%s: found is %v", file, found)
	}
	compare(t, file, archive, strings.Join(lines, "\n"))
}

// TestSteps makes plans of meshes in the middle of an upgrade: want is the
// head and the steps as the user reads them.
func TestSteps(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/steps/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			archive, plan := planOf(t, file)
			w := &writer{paint: func(_ output.Tone, s string) string { return s }}
			w.head(plan)
			w.steps(plan.Steps)
			compare(t, file, archive, strings.Join(w.lines[1:], "\n"))
			next := 0
			for i, s := range plan.Steps {
				if !s.Done && next == i {
					break
				}
				next++
			}
			for _, s := range plan.Steps[min(next, len(plan.Steps)):] {
				if s.Done && s.Name != "restart" {
					t.Errorf("%s is done after a step that is not", s.Name)
				}
				if !s.Done && len(s.Commands) == 0 {
					t.Errorf("%s has no command", s.Name)
				}
			}
		})
	}
}

func planOf(t *testing.T, file string) (*txtar.Archive, *Plan) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in := Input{To: target, Embedded: target, Kubernetes: "v1.34.1", Snapshot: snapshot(t, archive, mesh.Options{Complete: true})}
	for _, f := range archive.Files {
		if f.Name == "input" {
			if err := yaml.UnmarshalStrict(f.Data, &in); err != nil {
				t.Fatal(err)
			}
		}
	}
	plan, err := New(in)
	if err != nil {
		t.Fatal(err)
	}
	return archive, plan
}
