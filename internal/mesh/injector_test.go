package mesh_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/mesh"
)

func namespace(name string, labels map[string]any) *mesh.Object {
	return labelled(mesh.Namespace, "", name, "", labels, nil)
}

func configMap(name, key, text string) *mesh.Object {
	return mesh.NewObject(mesh.ConfigMap, map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"namespace": "istio-system", "name": name},
		"data": map[string]any{key: text},
	}, mesh.Origin{File: "x.yaml"})
}

func TestInjectorIsTheWebhookThatTheAPIServerAsks(t *testing.T) {
	t.Parallel()
	hook := mesh.NewObject(mesh.MutatingWebhookConfiguration, map[string]any{
		"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": map[string]any{"name": "tag-stable"},
		"webhooks": []any{map[string]any{
			"name":              "rev.namespace.sidecar-injector.istio.io",
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"istio.io/rev": "stable"}},
			"objectSelector": map[string]any{"matchExpressions": []any{
				map[string]any{"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": []any{"false"}},
			}},
		}},
	}, mesh.Origin{File: "x.yaml"})
	s := mesh.New([]*mesh.Object{hook}, mesh.Options{})
	stable, canary := namespace("shop", map[string]any{"istio.io/rev": "stable"}), namespace("shop", map[string]any{"istio.io/rev": "canary"})
	if s.Injector(stable, nil) == nil {
		t.Error("no injector for the tag that has a webhook")
	}
	if s.Injector(canary, nil) != nil {
		t.Error("an injector for a revision that has none")
	}
	if s.Injector(stable, map[string]string{"sidecar.istio.io/inject": "false"}) != nil {
		t.Error("an injector for a pod that opts out")
	}
}

func TestNeverInjected(t *testing.T) {
	t.Parallel()
	s := mesh.New([]*mesh.Object{configMap("istio-sidecar-injector", "values",
		`{"sidecarInjectorWebhook":{"neverInjectSelector":[{},{"matchExpressions":[{"key":"job","operator":"Exists"}]}]}}`)}, mesh.Options{})
	never := s.NeverInjected()
	if !never(map[string]string{"job": "x"}) || never(map[string]string{"app": "x"}) {
		t.Error("neverInjectSelector is not applied, or an empty one takes all pods")
	}
	if mesh.New(nil, mesh.Options{}).NeverInjected()(map[string]string{"job": "x"}) {
		t.Error("without configuration, every pod may be injected")
	}
}

func TestDiscovers(t *testing.T) {
	t.Parallel()
	s := mesh.New([]*mesh.Object{configMap("istio", "mesh", `
discoverySelectors:
- matchExpressions: [{key: mesh, operator: In, values: [a, b]}]
`)}, mesh.Options{})
	if !s.Discovers(namespace("x", map[string]any{"mesh": "b"})) || s.Discovers(namespace("y", map[string]any{"mesh": "c"})) {
		t.Error("discoverySelectors are not applied")
	}
	if !mesh.New(nil, mesh.Options{}).Discovers(namespace("y", nil)) {
		t.Error("without selectors every namespace counts")
	}
}
