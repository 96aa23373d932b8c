package upgrade

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

var update = flag.Bool("update", false, "rewrite the want file of every case")

// TestRules applies every rule to its cases: testdata/<id>/hit.txtar must
// trigger it and miss.txtar must not. A case holds objects, which are the
// whole mesh, in services how many Services to add, and in want the objects
// concerned.
func TestRules(t *testing.T) {
	t.Parallel()
	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			runRule(t, r, "hit", true)
			alone := r.Everyone && r.When == ""
			if _, err := os.Stat(caseFile(r.ID, "miss")); alone && err == nil {
				t.Error("the rule is for everyone: it cannot have a miss")
			}
			if !alone {
				runRule(t, r, "miss", false)
			}
		})
	}
	dirs, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		name := filepath.Base(dir)
		if name != "checks" && name != "steps" && !slices.ContainsFunc(rules, func(r *Rule) bool { return r.ID == name }) {
			t.Errorf("%s: no rule has this id", dir)
		}
	}
}

func caseFile(id, name string) string { return filepath.Join("testdata", id, name+".txtar") }

func runRule(t *testing.T, r *Rule, name string, triggered bool) {
	t.Helper()
	file := caseFile(r.ID, name)
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := snapshot(t, archive, mesh.Options{Complete: true})
	var plane *ControlPlane
	if planes := newFleet(s).planes; len(planes) > 0 {
		plane = planes[0]
	}
	out, err := r.apply(newFacts(s, plane, false))
	if err != nil {
		t.Fatal(err)
	}
	if !out.undecided.empty() {
		t.Errorf("%s: undecided: %v", file, out.undecided)
	}
	if out.triggered != triggered {
		t.Errorf("%s: triggered is %v, must be %v", file, out.triggered, triggered)
	}
	var lines []string
	for _, h := range out.hits {
		lines = append(lines, h.String()+" ["+h.Path+"]")
	}
	compare(t, file, archive, strings.Join(lines, "\n"))
}

// compare compares got with the want of a case, or rewrites it.
func compare(t *testing.T, file string, archive *txtar.Archive, got string) {
	t.Helper()
	if got != "" {
		got += "\n"
	}
	want := ""
	i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	if i >= 0 {
		want = string(archive.Files[i].Data)
	}
	if *update {
		archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
		if got != "" {
			archive.Files = append(archive.Files, txtar.File{Name: "want", Data: []byte(got)})
		}
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil { //nolint:gosec // test data
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// snapshot is the objects of a case's YAML files.
func snapshot(t *testing.T, archive *txtar.Archive, o mesh.Options) *mesh.Snapshot {
	t.Helper()
	var texts []kube.Text
	for _, f := range archive.Files {
		if strings.HasSuffix(f.Name, ".yaml") {
			texts = append(texts, kube.Text{Path: f.Name, Text: f.Data})
		}
	}
	files, err := kube.ReadTexts(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range files.Broken {
		t.Fatalf("%s: %s", b.Position, b.Reason)
	}
	return mesh.New(append(files.Objects, services(t, archive)...), o)
}

// services are as many Services as the case's file of that name says.
func services(t *testing.T, archive *txtar.Archive) []*mesh.Object {
	t.Helper()
	var all []*mesh.Object
	for _, f := range archive.Files {
		if f.Name != "services" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(string(f.Data)))
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			metadata := map[string]any{"name": "service-" + strconv.Itoa(i), "namespace": "shop"}
			all = append(all, mesh.NewObject(mesh.Service, map[string]any{"apiVersion": "v1", "kind": "Service", "metadata": metadata}, mesh.Origin{}))
		}
	}
	return all
}

func TestRulesAreComplete(t *testing.T) {
	t.Parallel()
	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	releases, err := supported()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range rules {
		if seen[r.ID] || slices.Contains(CheckIDs(), r.ID) {
			t.Errorf("%s: the id is taken", r.ID)
		}
		seen[r.ID] = true
		for field, value := range map[string]string{"title": r.Title, "what": r.What, "why": r.Why, "todo": r.Todo} {
			if value == "" {
				t.Errorf("%s: %s is missing", r.ID, field)
			}
			if field != "title" && !strings.HasSuffix(value, ".") {
				t.Errorf("%s: %s is no sentence: %s", r.ID, field, value)
			}
		}
		envoy := releases[r.Version].Envoy
		if !strings.HasPrefix(r.Link, "https://istio.io/latest/news/releases/"+r.Version+".x/announcing-"+r.Version+"/") &&
			!strings.HasPrefix(r.Link, "https://www.envoyproxy.io/docs/envoy/latest/version_history/v"+envoy+"/") {
			t.Errorf("%s: the link leads neither to the notes of %s nor to those of its Envoy %s: %s", r.ID, r.Version, envoy, r.Link)
		}
		if r.Until != "" && r.until.Compare(r.since) <= 0 {
			t.Errorf("%s: it is over with %s, before it began", r.ID, r.Until)
		}
		if severityRank(r.Severity) < 0 {
			t.Errorf("%s: there is no severity %q", r.ID, r.Severity)
		}
		if !r.Everyone && len(r.Match) == 0 && r.Func == "" {
			t.Errorf("%s: nothing can trigger it", r.ID)
		}
		if _, ok := functions()[r.Func]; r.Func != "" && !ok {
			t.Errorf("%s: there is no function %s", r.ID, r.Func)
		}
		if _, err := r.kinds(); err != nil {
			t.Error(err)
		}
		expressions := []string{r.When}
		for _, m := range r.Match {
			expressions = append(expressions, m.Where, m.Say)
		}
		for _, e := range expressions {
			if _, err := compile(orTrue(e)); err != nil {
				t.Errorf("%s: %v", r.ID, err)
			}
		}
		if r.Keep != nil && r.Keep.CompatibilityVersion != "" {
			keep, err := ParseVersion(r.Keep.CompatibilityVersion)
			if err != nil || keep.Compare(r.since) >= 0 {
				t.Errorf("%s: compatibilityVersion %s cannot bring back what %s changed", r.ID, r.Keep.CompatibilityVersion, r.Version)
			}
		}
	}
}
