package mesh

import (
	"fmt"
	"slices"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
)

// KubernetesRoute is a route of the Gateway API, of any kind.
type KubernetesRoute struct {
	*Object
	// Hostnames are the hosts it is for; none means all. Always none for TCPRoutes.
	Hostnames []gatewayapi.Hostname
	Parents   []gatewayapi.ParentReference
	Backends  []RouteBackend
}

// RouteBackend is one place a route sends traffic to.
type RouteBackend struct {
	// Path is the reference's field, such as spec.rules[0].backendRefs[1].
	Path string
	Ref  gatewayapi.BackendObjectReference
}

// RouteKinds are the kinds of [Snapshot.KubernetesRoutes].
func RouteKinds() []Kind { return []Kind{HTTPRoute, GRPCRoute, TLSRoute, TCPRoute} }

// KubernetesRoutes are the routes of the Gateway API, by kind, namespace and name.
func (s *Snapshot) KubernetesRoutes() []*KubernetesRoute {
	s.touch(RouteKinds()...)
	return s.kuberoutes()
}

func (c *content) newKubernetesRoutes() []*KubernetesRoute {
	var all []*KubernetesRoute
	for _, r := range typedOf[*gatewayapi.HTTPRouteSpec](c, HTTPRoute) {
		all = append(all, &KubernetesRoute{Object: r.Object, Hostnames: r.Spec.Hostnames, Parents: r.Spec.ParentRefs, Backends: httpBackends(r.Spec)})
	}
	for _, r := range typedOf[*gatewayapi.GRPCRouteSpec](c, GRPCRoute) {
		all = append(all, &KubernetesRoute{Object: r.Object, Hostnames: r.Spec.Hostnames, Parents: r.Spec.ParentRefs, Backends: grpcBackends(r.Spec)})
	}
	for _, r := range typedOf[*gatewayapi.TLSRouteSpec](c, TLSRoute) {
		route := &KubernetesRoute{Object: r.Object, Hostnames: r.Spec.Hostnames, Parents: r.Spec.ParentRefs}
		for i, rule := range r.Spec.Rules {
			route.Backends = append(route.Backends, plainBackends(i, rule.BackendRefs)...)
		}
		all = append(all, route)
	}
	for _, r := range typedOf[*gatewayapi.TCPRouteSpec](c, TCPRoute) {
		route := &KubernetesRoute{Object: r.Object, Parents: r.Spec.ParentRefs}
		for i, rule := range r.Spec.Rules {
			route.Backends = append(route.Backends, plainBackends(i, rule.BackendRefs)...)
		}
		all = append(all, route)
	}
	return all
}

func plainBackends(rule int, refs []gatewayapi.BackendRef) []RouteBackend {
	var all []RouteBackend
	for j, ref := range refs {
		all = append(all, RouteBackend{fmt.Sprintf("spec.rules[%d].backendRefs[%d]", rule, j), ref.BackendObjectReference})
	}
	return all
}

func httpBackends(spec *gatewayapi.HTTPRouteSpec) []RouteBackend {
	var all []RouteBackend
	for i, rule := range spec.Rules {
		all = append(all, httpMirrors(fmt.Sprintf("spec.rules[%d]", i), rule.Filters)...)
		for j, ref := range rule.BackendRefs {
			path := fmt.Sprintf("spec.rules[%d].backendRefs[%d]", i, j)
			all = append(all, RouteBackend{path, ref.BackendObjectReference})
			all = append(all, httpMirrors(path, ref.Filters)...)
		}
	}
	return all
}

func httpMirrors(path string, filters []gatewayapi.HTTPRouteFilter) []RouteBackend {
	var all []RouteBackend
	for k, f := range filters {
		if f.RequestMirror != nil {
			all = append(all, RouteBackend{fmt.Sprintf("%s.filters[%d].requestMirror.backendRef", path, k), f.RequestMirror.BackendRef})
		}
	}
	return all
}

func grpcBackends(spec *gatewayapi.GRPCRouteSpec) []RouteBackend {
	var all []RouteBackend
	for i, rule := range spec.Rules {
		all = append(all, grpcMirrors(fmt.Sprintf("spec.rules[%d]", i), rule.Filters)...)
		for j, ref := range rule.BackendRefs {
			path := fmt.Sprintf("spec.rules[%d].backendRefs[%d]", i, j)
			all = append(all, RouteBackend{path, ref.BackendObjectReference})
			all = append(all, grpcMirrors(path, ref.Filters)...)
		}
	}
	return all
}

func grpcMirrors(path string, filters []gatewayapi.GRPCRouteFilter) []RouteBackend {
	var all []RouteBackend
	for k, f := range filters {
		if f.RequestMirror != nil {
			all = append(all, RouteBackend{fmt.Sprintf("%s.filters[%d].requestMirror.backendRef", path, k), f.RequestMirror.BackendRef})
		}
	}
	return all
}

// ForGateways says whether gateways, and not only the mesh's own proxies, may get
// the route: through a Gateway, or a ListenerSet that stands for one.
func (r *KubernetesRoute) ForGateways() bool {
	return slices.ContainsFunc(r.Parents, func(p gatewayapi.ParentReference) bool {
		kind, ok := ParentKind(p)
		return ok && (kind == KubernetesGateway || kind == ListenerSet)
	})
}

// GatewayParents are the Gateway API Gateways that a route names, there or not.
func (r *KubernetesRoute) GatewayParents() []Ref {
	var refs []Ref
	for _, p := range r.Parents {
		if kind, ok := ParentKind(p); ok && kind == KubernetesGateway {
			refs = append(refs, Ref{Kind: KubernetesGateway, Namespace: ParentNamespace(p, r.Namespace), Name: string(p.Name)})
		}
	}
	return slices.Compact(refs)
}

// ParentKind is the kind of what a route attaches to; ok is false for kinds
// that meshctl does not know.
func ParentKind(p gatewayapi.ParentReference) (kind Kind, ok bool) {
	group, name := gatewayGroup, "Gateway"
	if p.Group != nil {
		group = string(*p.Group)
	}
	if p.Kind != nil {
		name = string(*p.Kind)
	}
	kind, ok = kindByName[group+"/"+name]
	return kind, ok
}

// ParentNamespace is the namespace of what a route of namespace own attaches to.
func ParentNamespace(p gatewayapi.ParentReference, own string) string {
	if p.Namespace != nil && *p.Namespace != "" {
		return string(*p.Namespace)
	}
	return own
}
