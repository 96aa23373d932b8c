package analyze_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// TestUncertain: only findings that conclude from absence are marked, and only
// for what may stand in the unreadable part.
func TestUncertain(t *testing.T) {
	t.Parallel()
	vs := mesh.NewObject(mesh.VirtualService, map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"name": "web", "namespace": "shop"},
	}, mesh.Origin{})
	absent := &analyze.Check{Code: "T1", Name: "absent", Severity: analyze.Error, Run: func(p *analyze.Pass) {
		for _, v := range p.VirtualServices() {
			if p.KnownIn(mesh.Service, "shop") && p.Get(mesh.Service, "shop", "reviews") == nil {
				p.Report(v.At("spec"), "there is no Service %q in namespace %q", "reviews", "shop")
			}
		}
	}}
	present := &analyze.Check{Code: "T2", Name: "present", Severity: analyze.Error, Run: func(p *analyze.Pass) {
		for _, v := range p.VirtualServices() {
			p.Report(v.At("spec"), "has no %q", "reviews")
		}
	}}
	entries := &analyze.Check{Code: "T3", Name: "entries", Severity: analyze.Error, Run: func(p *analyze.Pass) {
		p.ServiceEntries()
		absent.Run(p)
	}}
	for name, c := range map[string]struct {
		text    string
		skipped []mesh.Skip
		want    map[string]int
	}{
		"everything readable": {want: map[string]int{"absent": 0, "present": 0, "entries": 0}},
		"that Service":        {text: "kind: Service\nmetadata:\n  name: reviews\n", want: map[string]int{"absent": 1, "present": 0, "entries": 1}},
		"in JSON":             {text: `{"kind": "Service", "metadata": {"name": "reviews"}`, want: map[string]int{"absent": 1, "present": 0, "entries": 1}},
		"another Service":     {text: "kind: Service\nmetadata:\n  name: reviews-v1\n", want: map[string]int{"absent": 0, "present": 0, "entries": 0}},
		"another kind":        {text: "kind: Gateway\nmetadata:\n  name: reviews\n", want: map[string]int{"absent": 0, "present": 0, "entries": 0}},
		"no name":             {text: "kind: Service\nmetadata: [\n", want: map[string]int{"absent": 1, "present": 0, "entries": 1}},
		"a template":          {text: "kind: Service\nmetadata:\n  name: {{ .x }}\n  labels: {name: x}", want: map[string]int{"absent": 1, "present": 0, "entries": 1}},
		"nobody knows":        {text: "%", want: map[string]int{"absent": 1, "present": 0, "entries": 1}},
		"a forbidden kind":    {skipped: []mesh.Skip{{Kind: mesh.ServiceEntry, Reason: "forbidden"}}, want: map[string]int{"absent": 0, "present": 0, "entries": 1}},
	} {
		options := mesh.Options{Complete: true, Skipped: c.skipped}
		if c.text != "" {
			options.Unreadable = []mesh.Unreadable{{Position: mesh.Position{File: "x.yaml", Line: 1, Column: 1}, Text: c.text}}
		}
		report, err := analyze.Run(context.Background(), mesh.New([]*mesh.Object{vs}, options), []*analyze.Check{absent, present, entries}, analyze.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for _, f := range report.Findings {
			got[f.Check] = len(f.Uncertain)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || report.Summary.Errors != 3 {
			t.Errorf("%s: %d errors, uncertain (-want +got):\n%s", name, report.Summary.Errors, diff)
		}
	}
}
