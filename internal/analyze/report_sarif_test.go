package analyze_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

const faulty = `apiVersion: networking.istio.io/v1beta7
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hsots: [web]
  gateways: [public, nöne]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: ingress}
spec:
  selector: {app: none}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  annotations: {galley.istio.io/analyze-suppress: IST0118}
spec:
  ports: [{name: web, port: 80}]
`

// TestSARIFFollowsTheSchema holds the report of all checks against the official
// JSON schema of SARIF 2.1.0 (OASIS, errata 01), which go-sarif embeds.
func TestSARIFFollowsTheSchema(t *testing.T) {
	t.Parallel()
	files, err := kube.ReadTexts(context.Background(), []kube.Text{{Path: "my deploy/shop.yaml", Text: []byte(faulty)}})
	if err != nil {
		t.Fatal(err)
	}
	s := mesh.New(files.Objects, mesh.Options{Complete: true, Skipped: []mesh.Skip{{Kind: mesh.Sidecar, Reason: "forbidden"}}})
	report := run(t, s, analyze.Options{Suppress: []analyze.Suppression{{Code: "IST0101", Object: "Gateway *", Reason: "known"}}}, checks.All()...)
	report.Broken = append(report.Broken, analyze.Broken{Position: mesh.Position{File: "x.yaml", Line: 1, Column: 1}, Reason: "no"})
	for name, r := range map[string]*analyze.Report{"faulty": report, "empty": run(t, mesh.New(nil, mesh.Options{}), analyze.Options{}, checks.All()...)} {
		var b bytes.Buffer
		if err := output.Write(&b, output.Options{Format: analyze.AsSARIF}, r); err != nil {
			t.Fatal(err)
		}
		var read sarif.Report
		if err := json.Unmarshal(b.Bytes(), &read); err != nil {
			t.Fatal(err)
		}
		if err := read.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var again bytes.Buffer
		if err := read.PrettyWrite(&again); err != nil || again.String() != b.String() {
			t.Errorf("%s: what was validated is not what was written: %v", name, err)
		}
		if name == "faulty" {
			judge(t, report, read.Runs[0])
		}
	}
}

// judge compares a run with the report that it was made of.
func judge(t *testing.T, report *analyze.Report, run *sarif.Run) {
	t.Helper()
	fixes, suppressed, related := 0, 0, 0
	for i, res := range run.Results {
		fixes += len(res.Fixes)
		suppressed += len(res.Suppressions)
		related += len(res.RelatedLocations)
		if rule := run.Tool.Driver.Rules[res.RuleIndex]; *rule.ID != *res.RuleID || *rule.HelpURI == "" || *rule.Help.Text == "" {
			t.Errorf("result %d: rule %+v", i, rule)
		}
		if at := res.Locations[0].PhysicalLocation; at != nil && *at.ArtifactLocation.URI != "my%20deploy/shop.yaml" {
			t.Errorf("result %d is at %s", i, *at.ArtifactLocation.URI)
		}
	}
	if n := report.Fixable(); n < 2 || fixes != n {
		t.Errorf("%d fixes of %d", fixes, n)
	}
	if suppressed < 2 || len(run.Results) != len(report.Findings)+suppressed {
		t.Errorf("%d results of %d findings, %d suppressed", len(run.Results), len(report.Findings), suppressed)
	}
	if n := len(run.Invocations[0].ToolExecutionNotifications); n < 2 {
		t.Errorf("%d notifications", n)
	}
}
