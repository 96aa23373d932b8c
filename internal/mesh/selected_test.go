package mesh_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/mesh"
)

// labelled is an object with labels and a uid, as a cluster returns it.
func labelled(kind mesh.Kind, namespace, name, uid string, labels map[string]any, spec map[string]any) *mesh.Object {
	return mesh.NewObject(kind, map[string]any{
		"apiVersion": kind.APIVersion(), "kind": kind.Kind, "spec": spec,
		"metadata": map[string]any{"namespace": namespace, "name": name, "uid": uid, "labels": labels},
	}, mesh.Origin{File: "x.yaml"})
}

func istiod(env ...any) *mesh.Object {
	return object(mesh.Deployment, "istio-system", "istiod", map[string]any{"template": map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"app": "istiod"}},
		"spec":     map[string]any{"containers": []any{map[string]any{"name": "discovery", "env": env}}},
	}})
}

func TestSelects(t *testing.T) {
	t.Parallel()
	app := func(name string) map[string]any { return map[string]any{"app": name} }
	s := mesh.New([]*mesh.Object{
		labelled(mesh.Pod, "shop", "new", "", app("file"), map[string]any{"containers": []any{}}),
		labelled(mesh.Pod, "shop", "cart-1", "u1", map[string]any{"app": "cart", "color": "blue"}, map[string]any{"containers": []any{}}),
		labelled(mesh.WorkloadEntry, "shop", "db", "", app("by-metadata"), map[string]any{"labels": app("by-spec"), "address": "10.0.0.1"}),
		labelled(mesh.WorkloadEntry, "shop", "log", "", app("log"), map[string]any{"address": "10.0.0.2"}),
		object(mesh.WorkloadGroup, "shop", "vms", map[string]any{"metadata": map[string]any{"labels": app("vm")}}),
	}, mesh.Options{})
	for _, c := range []struct {
		namespace string
		labels    map[string]string
		want      bool
	}{
		{"shop", map[string]string{"app": "file"}, true},
		{"shop", map[string]string{"app": "cart", "color": "blue"}, true},
		{"shop", map[string]string{"app": "cart", "color": "red"}, false},
		{"", map[string]string{"app": "cart"}, true},
		{"other", map[string]string{"app": "cart"}, false},
		{"shop", map[string]string{"app": "by-spec"}, true},
		{"shop", map[string]string{"app": "by-metadata"}, false}, // the spec has the last word
		{"shop", map[string]string{"app": "log"}, true},
		{"shop", map[string]string{"app": "vm"}, true},
		{"other", map[string]string{"app": "vm"}, false},
	} {
		if got := s.Selects(c.namespace, c.labels); got != c.want {
			t.Errorf("Selects(%q, %v) = %v", c.namespace, c.labels, got)
		}
	}
	if n := len(s.RunningPods("", nil)); n != 1 {
		t.Errorf("%d running pods, want only the one with a uid", n)
	}
}

func TestMergeOfSelectors(t *testing.T) {
	t.Parallel()
	both, ok := mesh.Merge(map[string]string{"app": "cart"}, map[string]string{"version": "v1", "app": "cart"})
	if diff := cmp.Diff(map[string]string{"app": "cart", "version": "v1"}, both); diff != "" || !ok {
		t.Errorf("ok %v (-want +got):\n%s", ok, diff)
	}
	if _, ok := mesh.Merge(map[string]string{"app": "cart"}, map[string]string{"app": "search"}); ok {
		t.Error("labels that contradict each other can be had at once")
	}
}

func TestAddedLabels(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]bool{
		"topology.kubernetes.io/zone": true, "kubernetes.io/hostname": true, "topology.istio.io/cluster": true, "pod-template-hash": true,
		"version": false, "app.kubernetes.io/name": false, "topology": false,
	} {
		if mesh.AddedLabel(key) != want {
			t.Errorf("AddedLabel(%q) = %v", key, !want)
		}
	}
}

func TestControlPlaneEnv(t *testing.T) {
	t.Parallel()
	s := mesh.New([]*mesh.Object{istiod(map[string]any{"name": "PILOT_SCOPE_GATEWAY_TO_NAMESPACE", "value": "True"})}, mesh.Options{})
	if !s.ControlPlaneSets("PILOT_SCOPE_GATEWAY_TO_NAMESPACE", "true") || s.ControlPlaneEnv("OTHER") != "" {
		t.Error("istiod's environment is not read")
	}
	if got := s.GatewayScope("shop"); got != "shop" {
		t.Errorf("Gateways of shop select workloads of %q", got)
	}
	other := mesh.New([]*mesh.Object{istiod(map[string]any{"name": "X", "value": "1"})}, mesh.Options{Revision: "canary"})
	if got := other.ControlPlaneEnv("X"); got != "" {
		t.Errorf("another revision's istiod answers: %q", got)
	}
}

func TestKnownEverywhere(t *testing.T) {
	t.Parallel()
	files := mesh.New([]*mesh.Object{service("shop", "cart")}, mesh.Options{})
	whole := mesh.New(nil, mesh.Options{Read: []mesh.Kind{mesh.Service}})
	refused := mesh.New(nil, mesh.Options{Complete: true, Skipped: []mesh.Skip{{Kind: mesh.Service, Reason: "forbidden"}}})
	complete := mesh.New(nil, mesh.Options{Complete: true})
	for name, c := range map[string]struct {
		s    *mesh.Snapshot
		want bool
	}{"files": {files, false}, "a cluster": {whole, true}, "a refused kind": {refused, false}, "a complete input": {complete, true}} {
		if got := c.s.KnownEverywhere(mesh.Service); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !files.HasNamespace("shop", mesh.Service) || files.HasNamespace("shop") || files.HasNamespace("other", mesh.Service) {
		t.Error("a namespace is there when something of a kind asked for lives in it, and only then")
	}
}
