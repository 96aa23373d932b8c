package mesh

import (
	"slices"
	"testing"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// written is an object from its text; its kind from the text's.
func written(t *testing.T, text string) *Object {
	t.Helper()
	var raw map[string]any
	if err := yaml.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatal(err)
	}
	version, _ := raw["apiVersion"].(string)
	name, _ := raw["kind"].(string)
	kind, known := KindOf(version, name)
	if !known {
		t.Fatalf("%s of %s is no kind", name, version)
	}
	return NewObject(kind, raw, Origin{})
}

func TestGranted(t *testing.T) {
	t.Parallel()
	s := New([]*Object{
		written(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {name: all, namespace: payments}, spec: {
 from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service}]}}`),
		written(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: ReferenceGrant, metadata: {name: one, namespace: certs}, spec: {
 from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: edge}], to: [{group: "", kind: Secret, name: shop-tls}]}}`),
	}, Options{})
	tests := []struct {
		name     string
		from, to Ref
		want     bool
	}{
		{"its own namespace", Ref{HTTPRoute, "web", "r"}, Ref{Service, "web", "web"}, true},
		{"any name", Ref{HTTPRoute, "shop", "r"}, Ref{Service, "payments", "ledger"}, true},
		{"another kind of route", Ref{GRPCRoute, "shop", "r"}, Ref{Service, "payments", "ledger"}, false},
		{"another namespace", Ref{HTTPRoute, "web", "r"}, Ref{Service, "payments", "ledger"}, false},
		{"another kind of target", Ref{HTTPRoute, "shop", "r"}, Ref{Secret, "payments", "ledger"}, false},
		{"the name", Ref{KubernetesGateway, "edge", "public"}, Ref{Secret, "certs", "shop-tls"}, true},
		{"another name", Ref{KubernetesGateway, "edge", "public"}, Ref{Secret, "certs", "other-tls"}, false},
		{"Istio's Gateway is another kind", Ref{Gateway, "edge", "public"}, Ref{Secret, "certs", "shop-tls"}, false},
	}
	for _, tt := range tests {
		if got := s.Granted(tt.from, tt.to); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestAttach(t *testing.T) {
	t.Parallel()
	gateway := `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: edge, namespace: edge}, spec: {gatewayClassName: istio, listeners: [`
	tests := []struct {
		name, listeners, route, ref string
		want                        Refusal
	}{
		{"shared with all", `{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}`, `{}`, `{name: edge}`, Accepted},
		{"its own namespace only", `{name: http, port: 80, protocol: HTTP}`, `{}`, `{name: edge}`, NotShared},
		{"another section", `{name: http, port: 80, protocol: HTTP}`, `{}`, `{name: edge, sectionName: https}`, NoSection},
		{"another port", `{name: http, port: 80, protocol: HTTP}`, `{}`, `{name: edge, port: 81}`, NoPort},
		{"a listener for TCP", `{name: db, port: 5432, protocol: TCP}`, `{}`, `{name: edge}`, WrongKind},
		{"a selector that picks it", `{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: shop}}}}}`, `{}`, `{name: edge}`, Accepted},
		{"by the namespace's name", `{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: shop}}}}}`, `{}`, `{name: edge}`, Accepted},
		{"a selector that does not", `{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: web}}}}}`, `{}`, `{name: edge}`, NotShared},
		{"a host of its own", `{name: http, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}`, `{hostnames: [shop.example.org]}`, `{name: edge}`, NoHostname},
		{"a host in common", `{name: http, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}`, `{hostnames: [shop.example.com]}`, `{name: edge}`, Accepted},
		{"no listener at all", ``, `{}`, `{name: edge}`, NoSection},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := New([]*Object{
				written(t, gateway+tt.listeners+`]}}`),
				written(t, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop}}}`),
				written(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: checkout, namespace: shop}, spec: `+tt.route+`}`),
			}, Options{})
			var ref gatewayapi.ParentReference
			if err := yaml.Unmarshal([]byte(tt.ref), &ref); err != nil {
				t.Fatal(err)
			}
			if got, _ := s.Attach(s.KubernetesRoutes()[0], ref, ListenersOf(s.KubernetesGateways()[0])); got != tt.want {
				t.Errorf("refusal %d, want %d", got, tt.want)
			}
		})
	}
}

func TestServiceWaypoint(t *testing.T) {
	t.Parallel()
	const waypoint = `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: waypoint, namespace: shop}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}`
	tests := []struct {
		name, namespace, service string // labels
		gateway                  string
		want                     BindingState
	}{
		{"none is named", `{}`, `{}`, waypoint, Unbound},
		{"the namespace's", `{istio.io/use-waypoint: waypoint}`, `{}`, waypoint, Bound},
		{"its own before the namespace's", `{istio.io/use-waypoint: missing}`, `{istio.io/use-waypoint: waypoint}`, waypoint, Bound},
		{"none opts out of the namespace's", `{istio.io/use-waypoint: waypoint}`, `{istio.io/use-waypoint: none}`, waypoint, Unbound},
		{"missing", `{}`, `{istio.io/use-waypoint: missing}`, waypoint, WaypointMissing},
		{"an ingress gateway", `{}`, `{istio.io/use-waypoint: waypoint}`, `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: waypoint, namespace: shop}, spec: {gatewayClassName: istio}}`, WaypointUnfit},
		{"for workloads only", `{}`, `{istio.io/use-waypoint: waypoint}`, `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: waypoint, namespace: shop, labels: {istio.io/waypoint-for: workload}}, spec: {gatewayClassName: istio-waypoint}}`, WaypointUnfit},
		{"another namespace's, not shared", `{}`, `{istio.io/use-waypoint: waypoint, istio.io/use-waypoint-namespace: infra}`, `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: waypoint, namespace: infra}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}}`, WaypointUnfit},
		{"another namespace's, shared", `{}`, `{istio.io/use-waypoint: waypoint, istio.io/use-waypoint-namespace: infra}`, `{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: waypoint, namespace: infra}, spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE, allowedRoutes: {namespaces: {from: All}}}]}}`, Bound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := New([]*Object{
				written(t, `{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: `+tt.namespace+`}}`),
				written(t, `{apiVersion: v1, kind: Service, metadata: {name: checkout, namespace: shop, labels: `+tt.service+`}}`),
				written(t, tt.gateway),
			}, Options{})
			if got := s.ServiceWaypoint(s.Services()[0].Object); got.State != tt.want {
				t.Errorf("state %d (%s), want %d", got.State, got.Problem, tt.want)
			}
		})
	}
}

func TestServicesOver(t *testing.T) {
	t.Parallel()
	service := func(namespace, name, selector string) *Object {
		return written(t, `{apiVersion: v1, kind: Service, metadata: {name: `+name+`, namespace: `+namespace+`}, spec: {selector: `+selector+`}}`)
	}
	s := New([]*Object{
		service("shop", "stable", "{app: checkout, version: v1}"), service("shop", "canary", "{app: checkout, version: v2}"),
		service("shop", "all", "{app: checkout}"), service("shop", "manual", "{}"), service("web", "checkout", "{app: checkout}"),
		written(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: checkout, namespace: shop}, spec: {template: {metadata: {labels: {app: checkout, version: v1, tier: web}}}}}`),
	}, Options{})
	var names []string
	for _, svc := range s.ServicesOver(s.Workloads()[0]) {
		names = append(names, svc.Name)
	}
	if want := []string{"all", "stable"}; !slices.Equal(names, want) {
		t.Errorf("Services over the workload are %q, want %q", names, want)
	}
}

func TestGatewayParents(t *testing.T) {
	t.Parallel()
	s := New([]*Object{written(t, `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r, namespace: shop}, spec: {
  parentRefs: [{name: own}, {name: public, namespace: edge}, {group: "", kind: Service, name: checkout}, {kind: ListenerSet, name: extra}],
  rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: shadow}}}], backendRefs: [{name: a}, {name: b}]}]}}`)}, Options{})
	route := s.KubernetesRoutes()[0]
	if !route.ForGateways() {
		t.Error("the route has Gateways among its parents")
	}
	want := []Ref{{KubernetesGateway, "shop", "own"}, {KubernetesGateway, "edge", "public"}}
	if got := route.GatewayParents(); !slices.Equal(got, want) {
		t.Errorf("parents are %v, want %v", got, want)
	}
	var paths []string
	for _, b := range route.Backends {
		paths = append(paths, b.Path)
	}
	if want := []string{"spec.rules[0].filters[0].requestMirror.backendRef", "spec.rules[0].backendRefs[0]", "spec.rules[0].backendRefs[1]"}; !slices.Equal(paths, want) {
		t.Errorf("backends are at %q, want %q", paths, want)
	}
}
