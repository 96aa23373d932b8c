package analyze_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/deadline"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

func gateway(namespace, name, suppress string) *mesh.Object {
	meta := map[string]any{"namespace": namespace, "name": name}
	if suppress != "" {
		meta["annotations"] = map[string]any{"galley.istio.io/analyze-suppress": suppress}
	}
	return mesh.NewObject(mesh.Gateway, map[string]any{"apiVersion": "networking.istio.io/v1", "kind": "Gateway", "metadata": meta}, mesh.Origin{File: "gw.yaml"})
}

// everyGateway reports each Gateway.
func everyGateway(code string, severity analyze.Severity) *analyze.Check {
	return &analyze.Check{
		Code: code, Name: "every-" + strings.ToLower(code), Severity: severity, Reads: []mesh.Kind{mesh.Gateway},
		Run: func(p *analyze.Pass) {
			for _, g := range p.Gateways() {
				p.Report(g.At("spec"), "seen").Suggest("look away")
			}
		},
	}
}

func run(t *testing.T, s *mesh.Snapshot, o analyze.Options, checks ...*analyze.Check) *analyze.Report {
	t.Helper()
	report, err := analyze.Run(context.Background(), s, checks, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func seen(r *analyze.Report) []string {
	lines := []string{}
	for _, f := range r.Findings {
		lines = append(lines, string(f.Severity)+" "+f.Code+" "+f.Object.String())
	}
	return lines
}

func TestFindingsAreSortedWorstFirst(t *testing.T) {
	t.Parallel()
	s := mesh.New([]*mesh.Object{gateway("b", "x", ""), gateway("a", "y", "")}, mesh.Options{})
	r := run(t, s, analyze.Options{}, everyGateway("IST0009", analyze.Info), everyGateway("IST0002", analyze.Error), everyGateway("IST0001", analyze.Warning))
	want := []string{
		"error IST0002 Gateway a/y", "error IST0002 Gateway b/x", "warning IST0001 Gateway a/y", "warning IST0001 Gateway b/x",
		"info IST0009 Gateway a/y", "info IST0009 Gateway b/x",
	}
	if diff := cmp.Diff(want, seen(r)); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if got := r.Summary.String(); got != "2 errors, 2 warnings, 2 info in 2 objects, 3 checks" {
		t.Errorf("summary: %s", got)
	}
}

func TestSuppression(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		flag, annotation string
		kept             []string
	}{
		{"", "", []string{"shop/one", "web/two"}},
		{"IST0002", "", nil},
		{"ist0002", "", nil},
		{"every-ist0002", "", nil},
		{"*", "", nil},
		{"IST0003", "", []string{"shop/one", "web/two"}},
		{"IST0002=Gateway shop/*", "", []string{"web/two"}},
		{"IST0002=Gateway one.shop", "", []string{"web/two"}},
		{"IST0002=*/two", "", []string{"shop/one"}},
		{"*=Gateway sh[op/one", "", []string{"shop/one", "web/two"}},
		{"IST0002=*", "", nil},
		{"", "IST0002", []string{"web/two"}},
		{"", "IST0001, IST0002", []string{"web/two"}},
		{"", "*", []string{"web/two"}},
		{"", "IST0003", []string{"shop/one", "web/two"}},
	} {
		s := mesh.New([]*mesh.Object{gateway("shop", "one", c.annotation), gateway("web", "two", "")}, mesh.Options{})
		var o analyze.Options
		if c.flag != "" {
			suppression, err := analyze.ParseSuppression(c.flag)
			if err != nil {
				t.Fatal(err)
			}
			o.Suppress = append(o.Suppress, suppression)
		}
		r := run(t, s, o, everyGateway("IST0002", analyze.Error))
		var kept []string
		for _, f := range r.Findings {
			kept = append(kept, f.Object.Namespace+"/"+f.Object.Name)
		}
		if diff := cmp.Diff(c.kept, kept); diff != "" || r.Summary.Suppressed != 2-len(kept) {
			t.Errorf("flag %q, annotation %q: %d suppressed, kept (-want +got):\n%s", c.flag, c.annotation, r.Summary.Suppressed, diff)
		}
	}
	if _, err := analyze.ParseSuppression("=x"); err == nil {
		t.Error("a suppression without a code is accepted")
	}
}

func TestKialisAnnotationSilencesKialisChecks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kia        string
		annotation any // nil for none
		suppressed int
	}{
		{"KIA0301", nil, 0},
		{"KIA0301", "", 1},
		{"KIA0301", "KIA0101, kia0301", 1},
		{"KIA0301", "KIA0302", 0},
		{"", "", 0},
		{"", "KIA0301", 0},
	} {
		gw := gateway("shop", "one", "")
		if c.annotation != nil {
			gw.Annotations = map[string]string{"kiali.io/ignore-validations": c.annotation.(string)}
		}
		check := everyGateway("IST0002", analyze.Error)
		check.KIA = c.kia
		r := run(t, mesh.New([]*mesh.Object{gw}, mesh.Options{}), analyze.Options{}, check)
		if r.Summary.Suppressed != c.suppressed || len(r.Findings) != 1-c.suppressed {
			t.Errorf("%q of a check with %q: %d suppressed", c.annotation, c.kia, r.Summary.Suppressed)
		}
	}
}

func TestThresholdHidesButStillFails(t *testing.T) {
	t.Parallel()
	s := mesh.New([]*mesh.Object{gateway("shop", "one", ""), gateway("web", "two", "")}, mesh.Options{})
	r := run(t, s, analyze.Options{Threshold: analyze.Error, Namespaces: []string{"shop"}}, everyGateway("IST0002", analyze.Warning))
	if len(r.Findings) != 0 || r.Summary.Warnings != 1 || r.Summary.Elsewhere != 1 || !r.Fails(analyze.Warning) || r.Fails(analyze.Error) {
		t.Errorf("%d findings, summary %+v", len(r.Findings), r.Summary)
	}
}

func TestAPanicIsAFindingOfItsOwn(t *testing.T) {
	t.Parallel()
	broken := &analyze.Check{Code: "IST0101", Name: "broken", Severity: analyze.Info, Run: func(*analyze.Pass) { panic("no such thing") }}
	s := mesh.New([]*mesh.Object{gateway("shop", "one", "")}, mesh.Options{})
	r := run(t, s, analyze.Options{Namespaces: []string{"shop"}}, broken, everyGateway("IST0002", analyze.Error))
	if len(r.Findings) != 2 || r.Findings[0].Code != "IST0001" || !strings.Contains(r.Findings[0].Message, "broken failed inside") ||
		!strings.Contains(r.Findings[0].Message, "run_test.go") {
		t.Errorf("findings: %v %+v", seen(r), r.Findings[0])
	}
}

func TestAKindThatMayNotBeReadSkipsItsChecks(t *testing.T) {
	t.Parallel()
	s := mesh.New(nil, mesh.Options{Skipped: []mesh.Skip{{Kind: mesh.Gateway, Reason: "forbidden"}}})
	r := run(t, s, analyze.Options{}, everyGateway("IST0002", analyze.Error))
	want := []analyze.SkippedCheck{{Code: "IST0002", Check: "every-ist0002", Reason: "gateways could not be read: forbidden"}}
	if diff := cmp.Diff(want, r.SkippedChecks); diff != "" || r.Summary.Checks != 0 {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestAnEndedContextEndsTheRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := analyze.Run(ctx, mesh.New(nil, mesh.Options{}), []*analyze.Check{everyGateway("IST0002", analyze.Error)}, analyze.Options{}); err == nil {
		t.Error("the run goes on")
	}
}

// The answer comes when the time is over, however long a check takes; it names
// the check, and the next run can wait for it.
func TestASlowCheckIsNamedAtTheDeadline(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	ctx, finish := deadline.Track(ctx)
	release, ended := make(chan struct{}), false
	slow := &analyze.Check{Code: "IST0101", Name: "slow", Severity: analyze.Info, Run: func(*analyze.Pass) {
		cancel()
		<-release
		ended = true
	}}
	_, err := analyze.Run(ctx, mesh.New(nil, mesh.Options{}), []*analyze.Check{everyGateway("IST0002", analyze.Error), slow}, analyze.Options{})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "while slow ran") ||
		!strings.Contains(hint.Of(err), "--skip slow") || hint.ClassOf(err) != hint.Unanswerable {
		t.Errorf("%v; hint: %s", err, hint.Of(err))
	}
	close(release)
	finish(context.Background())
	if !ended {
		t.Error("the check was not waited for")
	}
}

func TestSelect(t *testing.T) {
	t.Parallel()
	all := []*analyze.Check{everyGateway("IST0001", analyze.Info), everyGateway("IST0002", analyze.Info)}
	for _, c := range []struct {
		only, skip []string
		want       int
		unknown    string
	}{
		{nil, nil, 2, ""},
		{[]string{"ist0001"}, nil, 1, ""},
		{[]string{"every-ist0002", "IST0001"}, []string{"IST0001"}, 1, ""},
		{nil, []string{"IST0009"}, 0, "IST0009"},
	} {
		got, unknown := analyze.Select(all, c.only, c.skip)
		if len(got) != c.want || unknown != c.unknown {
			t.Errorf("only %v, skip %v: %d checks, unknown %q", c.only, c.skip, len(got), unknown)
		}
	}
}

func TestJSONHasNoNullArrays(t *testing.T) {
	t.Parallel()
	for _, s := range []*mesh.Snapshot{mesh.New(nil, mesh.Options{}), mesh.New([]*mesh.Object{gateway("a", "b", "")}, mesh.Options{})} {
		var b bytes.Buffer
		if err := output.Write(&b, output.Options{Format: output.AsJSON}, run(t, s, analyze.Options{}, everyGateway("IST0002", analyze.Error))); err != nil {
			t.Fatal(err)
		}
		if !json.Valid(b.Bytes()) || strings.Contains(b.String(), "null") {
			t.Errorf("json: %s", b.String())
		}
	}
}
