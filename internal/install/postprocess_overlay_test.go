package install

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestPatchValues(t *testing.T) {
	t.Parallel()
	aMap := map[string]any{"a": int64(1), "b": "x"}
	for _, tt := range []struct {
		kind, path string
		value      any
		want       any
	}{
		{"Deployment", "spec.strategy", map[string]any{"a": float64(1), "b": "x"}, aMap},
		{"Deployment", "spec.strategy", "a: 1\nb: x\n", aMap},
		{"Deployment", "spec.strategy", "a: {b: x}", map[string]any{"a": map[string]any{"b": "x"}}},
		{"Deployment", "spec.strategy", `{"a": 1}`, `{"a": 1}`},
		{"Deployment", "spec.strategy", "a:1", "a:1"},
		{"Deployment", "spec.strategy", "say: \"no", "say: \"no"},
		{"Deployment", "spec.list", "- a: b\n- c\n", "- a: b\n- c\n"},
		{"Deployment", "spec.replicas", float64(2), int64(2)},
		{"Deployment", "spec.size", "1.10", "1.10"},
		{"ConfigMap", "data.mesh", "accessLogFile: /dev/stdout", "accessLogFile: /dev/stdout"},
		{"ConfigMap", "spec.mesh", "accessLogFile: x", map[string]any{"accessLogFile": "x"}},
		{"Secret", "stringData.a", "a: b", "a: b"},
		{"Deployment", `metadata.annotations.a\.b/c`, "a: b", "a: b"},
		{"Deployment", "spec.args[0]", "header: x", "header: x"},
		{"Deployment", "spec.env[0].value", "a: b", "a: b"},
	} {
		o := &unstructured.Unstructured{Object: map[string]any{"kind": tt.kind}}
		missing, err := patch{Path: tt.path, Value: tt.value}.apply(o)
		if missing != nil || err != nil {
			t.Errorf("%s: %v, %v", tt.path, missing, err)
			continue
		}
		if d := cmp.Diff(tt.want, at(t, any(o.Object), tt.path)); d != "" {
			t.Errorf("%s %s of %v: -want +got\n%s", tt.kind, tt.path, tt.value, d)
		}
	}
}

// What an overlay does not find is said, and nothing else is lost by it.
func TestOverlaysThatFindNothingWarn(t *testing.T) {
	t.Parallel()
	m := render(t, Inputs{Files: []File{{Name: "in.yaml", Data: []byte(`
spec:
  components:
    pilot:
      k8s:
        overlays:
        - kind: Deployment
          name: istiod
          patches:
          - {path: "spec.template.spec.containers.[name:nosuch].args.[0]", value: x}
          - {path: "spec.template.spec.containers.[name:discovery].args.[nosuch]"}
          - {path: spec.minReadySeconds, value: 5}
`)}}})
	const at0 = "components.pilot.k8s.overlays[0].patches["
	want := []string{
		at0 + "0] changes nothing in Deployment istiod: spec.template.spec.containers.[name:nosuch].args.[0]: no element [name:nosuch] in the list of 1",
		at0 + "1] changes nothing in Deployment istiod: spec.template.spec.containers.[name:discovery].args.[nosuch]: no element [:nosuch] in the list of 7",
	}
	if d := cmp.Diff(want, m.Warnings); d != "" {
		t.Errorf("warnings: -want +got\n%s", d)
	}
	if v := at(t, find(t, m, "Deployment", "istiod"), "spec.minReadySeconds"); v != int64(5) {
		t.Errorf("minReadySeconds = %v", v)
	}
}

func TestValuesThatHaveNoEffectWarn(t *testing.T) {
	t.Parallel()
	s, err := Resolve(Inputs{Set: []string{"values.pilot.cni.enabled=true", "values.meshConfig.accessLogFile=/a", "meshConfig.accessLogFile=/b"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"values.pilot.cni.enabled=true has no effect: it follows components.cni.enabled; unvalidatedValues.pilot.cni.enabled would do it",
		"values.meshConfig.accessLogFile gives way to meshConfig.accessLogFile",
	}
	if d := cmp.Diff(want, s.Warnings); d != "" {
		t.Errorf("warnings: -want +got\n%s", d)
	}
	if got := lookup(s.tree, "spec", "values", "meshConfig", "accessLogFile"); got != "/b" {
		t.Errorf("accessLogFile = %v", got)
	}
	s, err = Resolve(Inputs{Set: []string{"unvalidatedValues.pilot.cni.enabled=true", "unvalidatedValues.meshConfig.nosuch=x"}})
	if err != nil || len(s.Warnings) != 0 || lookup(s.tree, "spec", "values", "pilot", "cni", "enabled") != true {
		t.Errorf("unvalidated: %v, %v", s, err)
	}
}

// A null in values takes out what settings of the component would add to.
func TestNullStays(t *testing.T) {
	t.Parallel()
	m := render(t, Inputs{Files: []File{{Name: "in.yaml", Data: []byte(`
spec:
  values: {pilot: {resources: null}}
  components: {pilot: {k8s: {resources: {requests: {cpu: 250m}}}}}
`)}}})
	want := map[string]any{"requests": map[string]any{"cpu": "250m"}}
	if d := cmp.Diff(any(want), at(t, find(t, m, "Deployment", "istiod"), "spec.template.spec.containers[0].resources")); d != "" {
		t.Errorf("resources: -want +got\n%s", d)
	}
}
