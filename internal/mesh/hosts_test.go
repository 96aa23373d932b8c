package mesh_test

import (
	"fmt"
	"testing"

	"github.com/meshctl/meshctl/internal/mesh"
)

// istiod's own argument decides, then what the injector tells proxies.
func TestClusterDomain(t *testing.T) {
	t.Parallel()
	told := func(name string, args ...any) *mesh.Object {
		return object(mesh.Deployment, "istio-system", name, map[string]any{"template": map[string]any{"spec": map[string]any{
			"containers": []any{map[string]any{"name": "discovery", "args": args}},
		}}})
	}
	injector := func(domain string) *mesh.Object {
		return mesh.NewObject(mesh.ConfigMap, map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "istio-sidecar-injector", "namespace": "istio-system"},
			"data": map[string]any{"values": fmt.Sprintf(`{"global":{"proxy":{"clusterDomain":%q}}}`, domain)},
		}, mesh.Origin{})
	}
	for _, c := range []struct {
		want    string
		objects []*mesh.Object
		options mesh.Options
	}{
		{"cluster.local", nil, mesh.Options{}},
		{"acme.example", []*mesh.Object{told("istiod", "discovery", "--domain", "acme.example")}, mesh.Options{}},
		{"acme.example", []*mesh.Object{told("istiod", "--domain=acme.example."), injector("cluster.local")}, mesh.Options{}},
		{"proxies.example", []*mesh.Object{told("istiod", "--domain"), injector("proxies.example")}, mesh.Options{}},
		{"cluster.local", []*mesh.Object{told("istiod-canary", "--domain=canary.example")}, mesh.Options{}},
		{"canary.example", []*mesh.Object{told("istiod-canary", "--domain=canary.example")}, mesh.Options{Revision: "canary"}},
		{"told.example", []*mesh.Object{told("istiod", "--domain=acme.example")}, mesh.Options{ClusterDomain: "told.example"}},
	} {
		s := mesh.New(c.objects, c.options)
		if got := s.ClusterDomain(); got != c.want {
			t.Errorf("%d objects: cluster domain %q, want %q", len(c.objects), got, c.want)
		}
		if got := s.FQDN("cart", "shop"); got != "cart.shop.svc."+c.want {
			t.Errorf("full name %q", got)
		}
	}
}
