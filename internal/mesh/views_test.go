package mesh_test

import (
	"testing"

	"github.com/meshctl/meshctl/internal/mesh"
)

// restricting is a Sidecar with one listener; without labels it is a default.
func restricting(namespace, name string, labels map[string]any, hosts ...any) *mesh.Object {
	spec := map[string]any{"egress": []any{map[string]any{"hosts": hosts}}}
	if labels != nil {
		spec["workloadSelector"] = map[string]any{"labels": labels}
	}
	return object(mesh.Sidecar, namespace, name, spec)
}

func runs(namespace, app string, annotations map[string]any) *mesh.Object {
	return object(mesh.Deployment, namespace, app, map[string]any{"template": map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"app": app}, "annotations": annotations},
		"spec":     map[string]any{"containers": []any{map[string]any{"name": "app"}}},
	}})
}

func exported(kind mesh.Kind, namespace string, exportTo []string, hosts ...string) mesh.Exported {
	return mesh.Exported{Kind: kind, Namespace: namespace, ExportTo: exportTo, Hosts: hosts}
}

func TestSeenTogether(t *testing.T) {
	t.Parallel()
	root := func(hosts ...any) *mesh.Object { return restricting("istio-system", "default", nil, hosts...) }
	gateway := runs("edge", "ingress", map[string]any{"inject.istio.io/templates": "gateway"})
	web := runs("web", "web", nil)
	everywhere := mesh.Options{Complete: true}
	vsA := exported(mesh.VirtualService, "a", nil, "x.example")
	vsB := exported(mesh.VirtualService, "b", nil, "x.example")
	seA := exported(mesh.ServiceEntry, "a", nil, "x.example")
	seB := exported(mesh.ServiceEntry, "b", nil, "*.example")
	for _, c := range []struct {
		name    string
		objects []*mesh.Object
		options mesh.Options
		a, b    mesh.Exported
		want    bool
	}{
		{"no Sidecars", nil, mesh.Options{}, vsA, vsB, true},
		{"exportTo keeps them apart", nil, mesh.Options{}, exported(mesh.VirtualService, "a", []string{"."}, "x.example"), exported(mesh.VirtualService, "b", []string{"b"}, "x.example"), false},
		{"nobody gets one", nil, mesh.Options{}, exported(mesh.VirtualService, "a", []string{"~"}, "x.example"), vsB, false},
		{"both exported to a third", nil, mesh.Options{}, exported(mesh.VirtualService, "a", []string{"c"}, "x.example"), exported(mesh.VirtualService, "b", []string{"c", "d"}, "x.example"), true},
		{"a Sidecar that lets in everything", []*mesh.Object{root("*/*")}, mesh.Options{}, vsA, vsB, true},
		{"each its own", []*mesh.Object{root("./*")}, mesh.Options{}, vsA, vsB, false},
		{"each its own, entries", []*mesh.Object{root("./*")}, mesh.Options{}, seA, seB, false},
		{"a's own and b's", []*mesh.Object{root("./*", "b/*")}, mesh.Options{}, vsA, vsB, true},
		{"any namespace's by name", []*mesh.Object{root("*/x.example")}, mesh.Options{}, vsA, vsB, true},
		{"excluded again", []*mesh.Object{root("*/x.example", "~b/x.example")}, mesh.Options{}, vsA, vsB, false},
		{"everything but", []*mesh.Object{root("*/*", "~*/x.example")}, mesh.Options{}, vsA, vsB, false},
		{"nothing at all", []*mesh.Object{root("~/*")}, mesh.Options{}, vsA, vsB, false},
		{"elsewhere unknown", []*mesh.Object{restricting("a", "default", nil, "./*")}, mesh.Options{}, vsA, vsB, true},
		{"elsewhere nothing", []*mesh.Object{restricting("a", "default", nil, "./*"), runs("a", "a", nil)}, everywhere, vsA, vsB, false},
		{"elsewhere a gateway", []*mesh.Object{restricting("a", "default", nil, "./*"), runs("a", "a", nil), gateway}, everywhere, vsA, vsB, false},
		{"elsewhere a workload", []*mesh.Object{restricting("a", "default", nil, "./*"), web}, everywhere, vsA, vsB, true},
		{"a selected workload", []*mesh.Object{root("./*"), web, restricting("web", "one", map[string]any{"app": "web"}, "a/*", "b/*")}, everywhere, vsA, vsB, true},
		{"selects nothing", []*mesh.Object{root("./*"), web, restricting("web", "one", map[string]any{"app": "no"}, "a/*", "b/*")}, everywhere, vsA, vsB, false},
		{"selects what may run", []*mesh.Object{root("./*"), restricting("web", "one", map[string]any{"app": "no"}, "a/*", "b/*")}, mesh.Options{}, vsA, vsB, true},
		{"a root Sidecar for some is no default", []*mesh.Object{restricting("istio-system", "one", map[string]any{"app": "x"}, "./*")}, mesh.Options{}, vsA, vsB, true},
		{"a namespace's default before the root's", []*mesh.Object{root("./*"), restricting("web", "default", nil, "a/*", "b/*")}, mesh.Options{}, vsA, vsB, true},
		{"one listener each", []*mesh.Object{root("./*"), object(mesh.Sidecar, "web", "default", map[string]any{"egress": []any{
			map[string]any{"port": map[string]any{"number": int64(80)}, "hosts": []any{"a/*"}}, map[string]any{"hosts": []any{"b/*"}},
		}})}, mesh.Options{}, vsA, vsB, false},
		{"entries through two listeners", []*mesh.Object{root("./*"), object(mesh.Sidecar, "web", "default", map[string]any{"egress": []any{
			map[string]any{"port": map[string]any{"number": int64(80)}, "hosts": []any{"a/*"}}, map[string]any{"hosts": []any{"b/*"}},
		}})}, mesh.Options{}, seA, seB, true},
		{"a wildcard VirtualService by an exact name", []*mesh.Object{root("*/x.example")}, mesh.Options{}, vsA, exported(mesh.VirtualService, "b", nil, "*.example"), true},
		{"a wildcard entry by an exact name", []*mesh.Object{root("*/x.example")}, mesh.Options{}, seA, seB, false},
		{"a wildcard entry by a wildcard", []*mesh.Object{root("*/*.example")}, mesh.Options{}, seA, seB, true},
		{"exported to one, whose Sidecar lists one", []*mesh.Object{restricting("c", "default", nil, "a/*")}, mesh.Options{}, exported(mesh.VirtualService, "a", []string{"c"}, "x.example"), vsB, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := mesh.New(c.objects, c.options)
			if got, reverse := s.SeenTogether(c.a, c.b), s.SeenTogether(c.b, c.a); got != c.want || reverse != c.want {
				t.Errorf("seen together: %v, the other way round %v", got, reverse)
			}
		})
	}
}

func TestSeenBySomeone(t *testing.T) {
	t.Parallel()
	route := object(mesh.VirtualService, "web", "x", map[string]any{"hosts": []any{"y"}, "http": []any{map[string]any{
		"route": []any{map[string]any{"destination": map[string]any{"host": "x.example"}}},
	}}})
	root := restricting("istio-system", "default", nil, "./*")
	web := runs("web", "web", nil)
	gateway := runs("edge", "ingress", map[string]any{"inject.istio.io/templates": "gateway"})
	for _, c := range []struct {
		name     string
		objects  []*mesh.Object
		exportTo []string
		want     bool
	}{
		{"nothing is known to run", []*mesh.Object{}, nil, true},
		{"by the one workload", []*mesh.Object{web}, nil, true},
		{"exported elsewhere", []*mesh.Object{web}, []string{"shop"}, false},
		{"not listed", []*mesh.Object{web, root}, nil, false},
		{"its own namespace's", []*mesh.Object{runs("a", "x", nil), root}, nil, true},
		{"a route leads there", []*mesh.Object{web, root, route}, nil, true},
		{"a route leads there, but it is not exported", []*mesh.Object{web, root, route}, []string{"shop"}, false},
		{"a gateway has no Sidecar", []*mesh.Object{web, root, gateway}, nil, true},
		{"exported to the gateway alone", []*mesh.Object{web, root, gateway}, []string{"edge"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := mesh.New(c.objects, mesh.Options{Complete: true})
			if got := s.SeenBySomeone(exported(mesh.ServiceEntry, "a", c.exportTo, "x.example")); got != c.want {
				t.Errorf("seen: %v", got)
			}
		})
	}
}
