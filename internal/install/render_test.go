package install

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshctl/meshctl/profiles"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func render(t *testing.T, in Inputs) *Manifest {
	t.Helper()
	s, err := Resolve(in)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Render(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// find is the rendered object, failing the test without.
func find(t *testing.T, m *Manifest, kind, name string) map[string]any {
	t.Helper()
	for _, o := range m.Objects() {
		if o.GetKind() == kind && o.GetName() == name {
			return o.Object
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return nil
}

// at is the value at a path below an object.
func at(t *testing.T, o any, path string) any {
	t.Helper()
	steps, err := parsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range steps {
		if st.list {
			l, _ := o.([]any)
			i, err := st.find(l)
			if err != nil || i >= len(l) {
				return nil
			}
			o = l[i]
		} else {
			m, _ := o.(map[string]any)
			o = m[st.key]
		}
	}
	return o
}

// The objects of each profile are in testdata/objects, in the order that
// manifest generate prints them.
func TestProfilesRenderTheirObjects(t *testing.T) {
	t.Parallel()
	if len(profiles.List()) != 10 {
		t.Errorf("profiles = %v", profiles.List())
	}
	for _, profile := range profiles.List() {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			var got strings.Builder
			m := render(t, Inputs{Profile: profile})
			for _, o := range m.Objects() {
				fmt.Fprintf(&got, "%-16s %-40s %s/%s\n", o.GetLabels()[LabelComponent], o.GetKind(), o.GetNamespace(), o.GetName())
			}
			if len(m.Warnings) > 0 {
				t.Errorf("warnings: %v", m.Warnings)
			}
			golden := filepath.Join("testdata", "objects", profile+".txt")
			if *update {
				if err := os.MkdirAll(filepath.Dir(golden), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got.String()); d != "" {
				t.Errorf("objects: -want +got\n%s", d)
			}
		})
	}
}

func TestEveryObjectIsOwned(t *testing.T) {
	t.Parallel()
	for _, c := range render(t, Inputs{Profile: "ambient", Revision: "canary"}).Components {
		for _, o := range c.Objects {
			l := o.GetLabels()
			if l[LabelComponent] != c.Name || l[LabelManagedBy] != ManagedBy || l[LabelIstioComponent] == "" {
				t.Errorf("%s %s: labels %v", o.GetKind(), o.GetName(), l)
			}
			if rev := l[LabelRevision]; c.Name != "Base" && rev != "canary" {
				t.Errorf("%s %s: revision %q", o.GetKind(), o.GetName(), rev)
			}
		}
	}
}

func TestRenderIsTheSameEachTime(t *testing.T) {
	t.Parallel()
	s, err := Resolve(Inputs{Profile: "openshift-ambient"})
	if err != nil {
		t.Fatal(err)
	}
	var first []byte
	for range 3 {
		m, err := Render(s)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := WriteYAML(&b, m.Objects()); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b.Bytes()
		}
		if !bytes.Equal(first, b.Bytes()) {
			t.Fatal("two renderings of one spec differ")
		}
	}
}

func TestSettingsAreLaidOverObjects(t *testing.T) {
	t.Parallel()
	in := Inputs{Files: []File{{Name: "in.yaml", Data: []byte(`
spec:
  components:
    pilot:
      k8s:
        replicaCount: 3
        env: [{name: EXTRA, value: "1.10"}]
        podDisruptionBudget: {maxUnavailable: 1}
        tolerations: [{key: a, operator: Exists}]
        hpaSpec: {minReplicas: 2}
        serviceAnnotations: {a.b/c: x}
        overlays:
        - kind: Deployment
          name: istiod
          patches:
          - {path: "spec.template.spec.containers.[name:discovery].ports.[containerPort:15010]"}
          - {path: spec.progressDeadlineSeconds, value: 99}
        - {kind: Deployment, name: nobody, patches: [{path: a, value: b}]}
    ingressGateways:
    - {name: edge, enabled: true, k8s: {service: {type: NodePort, ports: [{name: http, port: 80, targetPort: 8080}]}}}
`)}}}
	m := render(t, in)
	d := find(t, m, "Deployment", "istiod")
	containers := "spec.template.spec.containers[name:discovery]"
	for path, want := range map[string]any{
		"spec.replicas":                                          int64(3),
		containers + ".env[name:EXTRA].value":                    "1.10",
		containers + ".env[name:REVISION].value":                 "default",
		"spec.template.spec.tolerations[key:a].key":              "a",
		"spec.progressDeadlineSeconds":                           int64(99),
		containers + ".ports[containerPort:15010]":               nil,
		containers + ".ports[containerPort:15017].containerPort": int64(15017),
	} {
		if d := cmp.Diff(want, at(t, d, path)); d != "" {
			t.Errorf("%s: -want +got\n%s", path, d)
		}
	}
	pdb := find(t, m, "PodDisruptionBudget", "istiod")
	if at(t, pdb, "spec.maxUnavailable") != int64(1) || at(t, pdb, "spec.minAvailable") != nil {
		t.Errorf("budget = %v", pdb["spec"])
	}
	if v := at(t, find(t, m, "HorizontalPodAutoscaler", "istiod"), "spec.minReplicas"); v != int64(2) {
		t.Errorf("minReplicas = %v", v)
	}
	svc := find(t, m, "Service", "edge")
	if at(t, svc, "spec.type") != "NodePort" || len(at(t, svc, "spec.ports").([]any)) != 1 {
		t.Errorf("service = %v", svc["spec"])
	}
	want := []string{
		"components.pilot.k8s.replicaCount will be undone by the autoscaler; set values.pilot.autoscaleEnabled=false",
		"components.pilot.k8s.overlays[1] changes nothing: there is no Deployment nobody",
	}
	if d := cmp.Diff(want, m.Warnings); d != "" {
		t.Errorf("warnings: -want +got\n%s", d)
	}
}

// The CRDs skip the way through text, not what the chart's template decides about them.
func TestCRDsComeThroughTheChart(t *testing.T) {
	t.Parallel()
	m := render(t, Inputs{Set: []string{"values.base.excludedCRDs[0]=sidecars.networking.istio.io"}})
	n := 0
	for _, o := range m.Objects() {
		if o.GetKind() != "CustomResourceDefinition" {
			continue
		}
		n++
		if o.GetName() == "sidecars.networking.istio.io" {
			t.Error("an excluded CRD was rendered")
		}
		if o.GetLabels()["app.kubernetes.io/part-of"] != "istio" || o.GetLabels()["chart"] != "" {
			t.Errorf("%s: labels %v, want those of the chart's template", o.GetName(), o.GetLabels())
		}
		if versions, _, _ := unstructured.NestedSlice(o.Object, "spec", "versions"); len(versions) == 0 {
			t.Errorf("%s has no versions", o.GetName())
		}
	}
	if n != 14 {
		t.Errorf("%d CRDs, want 14", n)
	}
}

func TestDecodeIsWhatKubernetesDecodes(t *testing.T) {
	t.Parallel()
	const doc = `
int: 1
big: 12345678901
whole: 2.0
float: 1.5
exp: 1e3
yes: on
quoted: "on"
"no": null
1: key
date: 2024-01-02
list: [1, a, {b: 0x10}]
text: |
  a
  b
`
	got, err := decodeDocument([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	var want unstructured.Unstructured
	asJSON, err := yaml.YAMLToJSON([]byte("kind: X\n" + doc))
	if err != nil {
		t.Fatal(err)
	}
	if err := want.UnmarshalJSON(asJSON); err != nil {
		t.Fatal(err)
	}
	delete(want.Object, "kind")
	if d := cmp.Diff(want.Object, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}

func BenchmarkResolveAndRenderDemo(b *testing.B) {
	for b.Loop() {
		s, err := Resolve(Inputs{Profile: "demo"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Render(s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWriteDemo(b *testing.B) {
	s, err := Resolve(Inputs{Profile: "demo"})
	if err != nil {
		b.Fatal(err)
	}
	m, err := Render(s)
	if err != nil {
		b.Fatal(err)
	}
	objects := m.Objects()
	for b.Loop() {
		if err := WriteYAML(io.Discard, objects); err != nil {
			b.Fatal(err)
		}
	}
}
