package gatewayapi

import (
	"fmt"
	"strings"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// RouteNotAttached finds routes that no Gateway and no Service takes.
var RouteNotAttached = &analyze.Check{
	Code: "MSH0301", Name: "route-not-attached", Severity: analyze.Error, KIA: "KIA1401",
	Reads: []mesh.Kind{mesh.HTTPRoute, mesh.KubernetesGateway},
	Uses:  []mesh.Kind{mesh.GRPCRoute, mesh.TLSRoute, mesh.TCPRoute, mesh.ListenerSet, mesh.Service, mesh.ServiceEntry, mesh.Namespace, mesh.Gateway},
	Doc: analyze.Doc{
		What: "A route of the Gateway API names a parent that does not take it: the Gateway, ListenerSet, Service or ServiceEntry is not there, no listener has the section or the port, takes the kind of route, is shared with the route's namespace, or has a host in common with it.",
		Why:  "The rules of the route are in no proxy: requests are answered with 404, or go where they would go without the route.",
		Fix:  "Correct the parentRef, or open the listener to the route: allowedRoutes says which namespaces and kinds it takes. A waypoint takes no routes itself; name the Service whose traffic is meant.",
	},
	Run: func(p *analyze.Pass) {
		there := newGateways(p)
		for _, route := range p.KubernetesRoutes() {
			for i, ref := range route.Parents {
				kind, ok := mesh.ParentKind(ref)
				namespace := mesh.ParentNamespace(ref, route.Namespace)
				at := func(field string) mesh.Location { return route.At("spec.parentRefs[%d].%s", i, field) }
				switch {
				case !ok:
				case kind == mesh.KubernetesGateway:
					gw := mesh.As[*gatewayapi.GatewaySpec](p.Get(kind, namespace, string(ref.Name)))
					if gw == nil {
						missingParent(p, at("name"), kind, namespace, string(ref.Name), there)
						continue
					}
					notAttached(p, route, i, gw)
				case kind == mesh.ListenerSet:
					set := mesh.As[*gatewayapi.ListenerSetSpec](p.Get(kind, namespace, string(ref.Name)))
					if set == nil {
						missingParent(p, at("name"), kind, namespace, string(ref.Name), there)
						continue
					}
					refused(p, route, i, mesh.ListenersOfSet(set))
				case kind == mesh.Service:
					if p.Get(kind, namespace, string(ref.Name)) == nil {
						missingParent(p, at("name"), kind, namespace, string(ref.Name), there)
						continue
					}
					missingParentPort(p, route, i, namespace)
				case kind == mesh.ServiceEntry && p.Get(kind, namespace, string(ref.Name)) == nil:
					missingParent(p, at("name"), kind, namespace, string(ref.Name), there)
				}
			}
		}
	},
}

// gateways are the names of all Gateways by namespace, and of each name the
// first namespace.
type gateways struct {
	names      map[string][]string
	namespaces map[string]string
}

func newGateways(p *analyze.Pass) gateways {
	all := gateways{map[string][]string{}, map[string]string{}}
	for _, gw := range p.KubernetesGateways() {
		all.names[gw.Namespace] = append(all.names[gw.Namespace], gw.Name)
		if all.namespaces[gw.Name] == "" {
			all.namespaces[gw.Name] = gw.Namespace
		}
	}
	return all
}

// missingParent reports a parent that is not there, if the input says enough.
func missingParent(p *analyze.Pass, at mesh.Location, kind mesh.Kind, namespace, name string, there gateways) {
	if !p.KnownIn(kind, namespace) {
		p.CantTell(kind, namespace)
		return
	}
	f := p.Report(at, "there is no %s %q in namespace %q", called(kind), name, namespace)
	if kind == mesh.ListenerSet {
		suggestGateway(p, f, name, namespace)
		return
	}
	if kind != mesh.KubernetesGateway {
		p.MayBeElsewhere(f)
		return
	}
	p.Advise(func() {
		if best := hint.Closest(name, there.names[namespace]); best != "" {
			f.Suggest("change it to %q", best)
		}
	})
	if f.Fix != "" {
		return
	}
	if elsewhere := there.namespaces[name]; elsewhere != "" {
		f.Suggest("add namespace: %s, where there is a Gateway of that name", elsewhere)
		return
	}
	if p.Get(mesh.Gateway, namespace, name) != nil {
		f.Suggest("make a Gateway of %s: the one named %q is Istio's own, which takes VirtualServices only", mesh.KubernetesGateway.Group, name)
	}
}

// suggestGateway names the ListenerSet that was probably meant, or the Gateway.
func suggestGateway(p *analyze.Pass, f *analyze.Finding, name, namespace string) {
	if p.Get(mesh.KubernetesGateway, namespace, name) != nil {
		f.Suggest("leave kind out: the Gateway is called %q", name)
		return
	}
	p.Advise(func() {
		var there []string
		for _, set := range mesh.InNamespace(p.ListenerSets(), namespace) {
			there = append(there, set.Name)
		}
		if best := hint.Closest(name, there); best != "" {
			f.Suggest("change it to %q", best)
		}
	})
}

// called is what people call a kind here.
func called(kind mesh.Kind) string {
	if kind == mesh.KubernetesGateway {
		return "Gateway API Gateway"
	}
	return kind.Kind
}

// missingParentPort reports a route for a port that its Service does not have.
func missingParentPort(p *analyze.Pass, route *mesh.KubernetesRoute, i int, namespace string) {
	ref := route.Parents[i]
	if ref.Port == nil {
		return
	}
	svc := service(p, namespace, string(ref.Name))
	if hasPort(svc, *ref.Port) {
		return
	}
	p.Report(route.At("spec.parentRefs[%d].port", i), "Service %q has no port %d", namespace+"/"+svc.Name, *ref.Port).
		Suggest("use one of its ports: %s", portList(svc)).
		Evidence(svc.At("spec.ports"), "has the ports %s", portList(svc))
}

// notAttached reports a route that no listener of its Gateway takes.
func notAttached(p *analyze.Pass, route *mesh.KubernetesRoute, i int, gw *mesh.Resource[*gatewayapi.GatewaySpec]) {
	if gw.Spec.GatewayClassName == mesh.WaypointClass {
		p.Report(route.At("spec.parentRefs[%d].name", i), "Gateway %q is a waypoint, which takes no routes", gw.Namespace+"/"+gw.Name).
			Suggest("name the Service as the parent whose traffic the waypoint handles: group \"\", kind Service").
			Evidence(gw.At("spec.gatewayClassName"), "makes it a waypoint")
		return
	}
	if len(gw.Spec.Listeners) == 0 {
		return // its listeners may stand in ListenerSets; without any, the Gateway's schema speaks up
	}
	refused(p, route, i, mesh.ListenersOf(gw))
}

// refused reports a route that none of the listeners takes.
func refused(p *analyze.Pass, route *mesh.KubernetesRoute, i int, to mesh.Listeners) {
	ref, name := route.Parents[i], to.Kind.Kind+` "`+to.Namespace+"/"+to.Name+`"`
	base := fmt.Sprintf("spec.parentRefs[%d]", i)
	refusal, closest := p.Attach(route, ref, to)
	switch refusal {
	case mesh.Accepted:
	case mesh.RefusalUnknown:
		p.CantTell(mesh.Namespace, "")
	case mesh.NoSection:
		f := p.Report(route.At("%s.sectionName", base), "%s has no listener %q", name, *ref.SectionName)
		var there []string
		for _, l := range closest {
			there = append(there, string(l.Name))
		}
		if best := hint.Closest(string(*ref.SectionName), there); best != "" {
			f.Suggest("change it to %q", best)
		} else if len(there) > 0 {
			f.Suggest("use one of its listeners: %s", strings.Join(there, ", "))
		}
		f.Evidence(to.Object.At("spec.listeners"), "has the listeners %s", selector.Few(there))
	case mesh.NoPort:
		p.Report(route.At("%s.port", base), "%s has no listener on port %d that the route asks for", name, *ref.Port).
			Suggest("use a port of its listeners, or leave the port out").
			Evidence(to.Object.At("spec.listeners"), "has no such port")
	case mesh.WrongKind:
		p.Report(route.At("%s", base), "no listener of %s takes a route of kind %s", name, route.Kind.Kind).
			Suggest("name a listener whose protocol fits, or allow the kind in allowedRoutes").
			Evidence(to.At(closest[0]), "takes %s traffic and no %s", closest[0].Protocol, route.Kind.Kind)
	case mesh.NotShared:
		p.Report(route.At("%s", base), "%s takes no routes from namespace %q", name, route.Namespace).
			Suggest("set allowedRoutes.namespaces.from: All on the listener, or a selector that picks namespace %q", route.Namespace).
			Evidence(to.At(closest[0]), "takes routes from %s", takesFrom(closest[0]))
	case mesh.NoHostname:
		f := p.Report(route.At("spec.hostnames"), "no host of the route is one that %s listens for", name)
		var hosts []string
		for _, l := range closest {
			hosts = append(hosts, string(*l.Hostname))
		}
		f.Suggest("use a host under %s, or change the listener's hostname", strings.Join(hosts[:min(3, len(hosts))], " or ")).
			Evidence(to.At(closest[0]), "listens for %s only", *closest[0].Hostname)
	}
}

// takesFrom is where a listener takes routes from.
func takesFrom(l *gatewayapi.Listener) string {
	if l.AllowedRoutes != nil && l.AllowedRoutes.Namespaces != nil && l.AllowedRoutes.Namespaces.From != nil {
		switch *l.AllowedRoutes.Namespaces.From {
		case gatewayapi.NamespacesFromSelector:
			return "the namespaces that its selector picks"
		case gatewayapi.NamespacesFromNone:
			return "nowhere"
		}
	}
	return "its own namespace only"
}
