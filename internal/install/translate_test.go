package install

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// translated is a translation as it is written to a directory.
func translated(t *testing.T, in Inputs) (dir string, releases []HelmRelease, s *Spec) {
	t.Helper()
	s, err := Resolve(in)
	if err != nil {
		t.Fatal(err)
	}
	if releases, err = Translate(s); err != nil {
		t.Fatal(err)
	}
	addons, err := Addons(s.Addons, s.Namespace)
	if err != nil {
		t.Fatal(err)
	}
	files, err := TranslationFiles(s, releases, addons)
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir, releases, s
}

// helmTemplate does what `helm template` does with a written release.
func helmTemplate(t *testing.T, dir string, r HelmRelease) []*unstructured.Unstructured {
	t.Helper()
	chart, err := loader.LoadDir(filepath.Join(dir, r.Chart))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, r.Name+"-values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(data, &values); err != nil {
		t.Fatal(err)
	}
	caps, err := capabilities("")
	if err != nil {
		t.Fatal(err)
	}
	top, err := util.ToRenderValues(chart, values, common.ReleaseOptions{Name: r.Release, Namespace: r.Namespace, IsInstall: true, Revision: 1}, caps)
	if err != nil {
		t.Fatal(err)
	}
	files, err := engine.Render(chart, top)
	if err != nil {
		t.Fatal(err)
	}
	var out []*unstructured.Unstructured
	for name, text := range files {
		if strings.HasSuffix(name, ".txt") {
			continue
		}
		for _, doc := range splitDocuments(text) {
			m, err := decodeDocument([]byte(doc))
			if err != nil {
				t.Fatal(err)
			}
			if m["kind"] != nil {
				out = append(out, &unstructured.Unstructured{Object: m})
			}
		}
	}
	return out
}

// withoutOwner are the objects without any label that says who installed them.
func withoutOwner(objects []*unstructured.Unstructured, s *Spec) []*unstructured.Unstructured {
	out := withoutRelease(objects)
	for _, o := range out {
		c := &component{}
		c.own(s, []*unstructured.Unstructured{o}) // so that both have what the charts may lack
		labels := o.GetLabels()
		delete(labels, LabelComponent)
		delete(labels, LabelIstioComponent)
		o.SetLabels(labels)
	}
	return out
}

// Helm makes of what is written what an install applies.
func TestHelmInstallsTheSame(t *testing.T) {
	t.Parallel()
	inputs := map[string]Inputs{
		"gateways, ambient, revision": {Profile: "ambient", Revision: "canary", Files: []File{{Name: "g.yaml", Data: []byte(`
spec:
  meshConfig: {accessLogFile: /dev/stdout}
  values: {global: {network: n1, meshID: m}, pilot: {env: {A: "1.10"}, resources: {requests: {cpu: 1m}}}, ztunnel: {logLevel: debug}}
  components:
    ingressGateways:
    - {name: edge-a, namespace: edge, label: {istio: a}, k8s: {service: {ports: [{name: https, port: 443, targetPort: 8443}]}}}
    - {name: edge-b, hub: quay.io/x, tag: "1.10"}
    egressGateways:
    - {name: out}
`)}}},
	}
	for _, p := range []string{"default", "demo", "minimal", "remote", "openshift", "openshift-ambient", "stable", "preview"} {
		inputs[p] = Inputs{Profile: p}
		if p == "demo" { // said already, what a translation adds
			inputs[p] = Inputs{Profile: p, Set: []string{"values.defaultRevision=default"}}
		}
	}
	for name, in := range inputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, releases, s := translated(t, in)
			m, err := Render(s)
			if err != nil {
				t.Fatal(err)
			}
			if len(releases) != len(m.Components) || len(releases) == 0 {
				t.Fatalf("%d releases for %d components", len(releases), len(m.Components))
			}
			for i, r := range releases {
				if len(r.Rest.Objects) > 0 {
					t.Errorf("%s: there is a rest: %+v", r.Name, r.Rest.Objects)
				}
				d := Compare(withoutOwner(helmTemplate(t, dir, r), s), withoutOwner(m.Components[i].Objects, s))
				for _, o := range d.Objects {
					if r.Name == "base" && o.Action == Prune && o.Name == "istiod-default-validator" {
						continue // as install adds it
					}
					t.Errorf("%s: %s %s: %+v", r.Name, o.Action, o.Ident(), o.Fields)
				}
			}
		})
	}
}

// Settings under k8s become values where there are such; the rest is shown.
func TestTranslatedSettings(t *testing.T) {
	t.Parallel()
	in := Inputs{Profile: "minimal", Files: []File{{Name: "k.yaml", Data: []byte(`
spec:
  components:
    cni: {enabled: true, k8s: {resources: {requests: {memory: 9Mi}}, affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: Exists}]}]}}}}}
    pilot: {k8s: {nodeSelector: {disk: ssd}, podAnnotations: {a: b}, priorityClassName: high, tolerations: [{key: x, operator: Exists}]}}
`)}}}
	dir, releases, s := translated(t, in)
	if got := lookup(releases[1].Values, "pilot", "nodeSelector", "disk"); got != "ssd" {
		t.Errorf("nodeSelector = %v", got)
	}
	if got := lookup(releases[2].Values, "cni", "resources", "requests", "memory"); got != "9Mi" || len(releases[2].Rest.Objects) != 0 {
		t.Errorf("CNI: %v, rest %+v", got, releases[2].Rest.Objects)
	}
	// What Helm renders and the rest come to what the install has.
	m, err := Render(s)
	if err != nil {
		t.Fatal(err)
	}
	if !validatesDefault(releases[0]) {
		t.Error("nothing would have istiod validate objects without a revision")
	}
	d := Compare(withoutOwner(helmTemplate(t, dir, releases[1]), s), withoutOwner(m.Components[1].Objects, s))
	var fields []string
	for _, o := range d.Objects {
		for _, f := range o.Fields {
			fields = append(fields, o.Kind+" "+f.Path)
		}
	}
	if !slices.ContainsFunc(fields, func(f string) bool { return strings.Contains(f, "priorityClassName") }) || len(d.Objects) != len(releases[1].Rest.Objects) {
		t.Errorf("differences: %v, rest %+v", fields, releases[1].Rest.Objects)
	}
	for _, f := range fields {
		if strings.Contains(f, "nodeSelector") || strings.Contains(f, "annotations") {
			t.Errorf("%s differs, but the chart has a value for it", f)
		}
	}
	diff, err := os.ReadFile(filepath.Join(dir, "pilot.diff"))
	if err != nil || !strings.Contains(string(diff), "+      priorityClassName: high\n") {
		t.Errorf("%v\n%s", err, diff)
	}
	notes, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil || !strings.Contains(string(notes), "| pilot | istiod | istio-system | pilot-values.yaml | charts/istio-discovery | pilot.diff |") {
		t.Errorf("%v\n%s", err, notes)
	}
}
