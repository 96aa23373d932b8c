package schema

import (
	"fmt"
	"strings"
	"testing"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Of very many routes each is validated, and warnings name the right one.
func TestManyRoutesAreValidatedInParts(t *testing.T) {
	t.Parallel()
	var routes []any
	for i := range 2*mostRoutes + 10 {
		destination := map[string]any{"host": "cart"}
		prefix := fmt.Sprintf("/p%d/", i)
		switch i {
		case mostRoutes + 5:
			prefix = fmt.Sprintf("/p%d/x", i-1) // the route before takes it
		case 2*mostRoutes + 3:
			destination["host"] = "not a host"
		}
		routes = append(routes, map[string]any{
			"match": []any{map[string]any{"uri": map[string]any{"prefix": prefix}}},
			"route": []any{map[string]any{"destination": destination}},
		})
	}
	vs := mesh.NewObject(mesh.VirtualService, map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"name": "many", "namespace": "shop"},
		"spec": map[string]any{"hosts": []any{"many.example.com"}, "http": routes},
	}, mesh.Origin{File: "many.yaml"})
	if got := len(parts(vs.Typed())); got != 3 {
		t.Fatalf("%d parts", got)
	}
	if got := parts(&networking.VirtualService{}); len(got) != 1 {
		t.Errorf("%d parts of a small one", len(got))
	}
	v := validate(vs)
	if len(v.errs) != 1 || !strings.Contains(v.errs[0].Error(), "not a host") {
		t.Errorf("errors: %v", v.errs)
	}
	if len(v.warnings) != 1 {
		t.Fatalf("warnings: %v", v.warnings)
	}
	aware, _ := asAware(v.warnings[0])
	rule, earlier := parameter(aware, 0), parameter(aware, 2)
	if want := fmt.Sprintf("#%d", mostRoutes+5); rule != want || !strings.HasSuffix(earlier, fmt.Sprintf("on #%d", mostRoutes+4)) {
		t.Errorf("the warning is about %s, taken by %s", rule, earlier)
	}
}

// Of a host that is there thousands of times the validator would say millions of times that it is.
func TestHostsManyTimes(t *testing.T) {
	t.Parallel()
	hosts := []any{"cart.example.com"}
	for range 10000 {
		hosts = append(hosts, "shop.example.com")
	}
	vs := mesh.NewObject(mesh.VirtualService, map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"name": "many", "namespace": "shop"},
		"spec": map[string]any{
			"hosts": append(hosts, "pay.example.com"),
			"http":  []any{map[string]any{"route": []any{map[string]any{"destination": map[string]any{"host": "cart"}}}}},
		},
	}, mesh.Origin{File: "many.yaml"})
	if v := validate(vs); len(v.errs) != 1 || !strings.Contains(v.errs[0].Error(), "shop.example.com") {
		t.Errorf("errors: %v", v.errs)
	}
	if got := twiceAtMost([]string{"a", "b", "a", "a", "c", "b"}); strings.Join(got, "") != "abacb" {
		t.Errorf("twiceAtMost: %v", got)
	}
}
