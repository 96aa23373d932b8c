package gatewayapi

import (
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingBackend finds routes to backends that are not there, or not theirs to use.
var MissingBackend = &analyze.Check{
	Code: "MSH0302", Name: "missing-backend", Severity: analyze.Error, KIA: "KIA1402",
	Reads: []mesh.Kind{mesh.HTTPRoute, mesh.Service},
	Uses:  []mesh.Kind{mesh.GRPCRoute, mesh.TLSRoute, mesh.TCPRoute, mesh.ServiceEntry, mesh.ReferenceGrant},
	Doc: analyze.Doc{
		What: "A route of the Gateway API sends or mirrors traffic to a Service that is not there, to a port that it does not have, to a host that nothing answers for, or to another namespace that did not allow it with a ReferenceGrant.",
		Why:  "The share of the requests that goes to this backend is answered with 500 or 503, whatever the other backends do.",
		Fix:  "Correct the name or the port, which is the Service's port and not the pods'. For a backend in another namespace, create a ReferenceGrant there.",
	},
	Run: func(p *analyze.Pass) {
		for _, route := range p.KubernetesRoutes() {
			for _, b := range route.Backends {
				group, kind := "", "Service"
				if b.Ref.Group != nil {
					group = string(*b.Ref.Group)
				}
				if b.Ref.Kind != nil {
					kind = string(*b.Ref.Kind)
				}
				switch {
				case group == "" && kind == "Service":
					serviceBackend(p, route, b)
				case group == mesh.ServiceEntry.Group && kind == "Hostname":
					hostBackend(p, route, b)
				}
			}
		}
	},
}

func serviceBackend(p *analyze.Pass, route *mesh.KubernetesRoute, b mesh.RouteBackend) {
	namespace, name := route.Namespace, string(b.Ref.Name)
	if b.Ref.Namespace != nil && *b.Ref.Namespace != "" {
		namespace = string(*b.Ref.Namespace)
	}
	svc := service(p, namespace, name)
	switch {
	case svc == nil && !p.KnownIn(mesh.Service, namespace):
		p.CantTell(mesh.Service, namespace)
	case svc == nil:
		f := p.Report(route.At("%s.name", b.Path), "there is no Service %q in namespace %q", name, namespace)
		p.MayBeElsewhere(f)
		suggestService(p, f, name, namespace)
		return
	case b.Ref.Port != nil && !hasPort(svc, *b.Ref.Port):
		f := p.Report(route.At("%s.port", b.Path), "Service %q has no port %d", namespace+"/"+name, *b.Ref.Port)
		f.Suggest("use one of its ports: %s", portList(svc))
		for _, sp := range svc.Spec.Ports {
			if sp.TargetPort.IntValue() == int(*b.Ref.Port) {
				f.Suggest("change it to %d: %d is the pods' port", sp.Port, *b.Ref.Port)
			}
		}
		f.Evidence(svc.At("spec.ports"), "has the ports %s", portList(svc))
	}
	ungranted(p, route, b, mesh.Ref{Kind: mesh.Service, Namespace: namespace, Name: name})
}

// ungranted reports a backend in another namespace that no ReferenceGrant
// opens. Routes for the mesh itself need none.
func ungranted(p *analyze.Pass, route *mesh.KubernetesRoute, b mesh.RouteBackend, to mesh.Ref) {
	if to.Namespace == route.Namespace || !route.ForGateways() || p.Granted(route.Ref, to) {
		return
	}
	if !p.KnownIn(mesh.ReferenceGrant, to.Namespace) {
		p.CantTell(mesh.ReferenceGrant, to.Namespace)
		return
	}
	p.Report(route.At("%s.namespace", b.Path), "no ReferenceGrant in namespace %q lets an %s of namespace %q use Service %q", to.Namespace, route.Kind.Kind, route.Namespace, to.Name).
		Suggest("create a ReferenceGrant in %q with from: {group: %s, kind: %s, namespace: %s} and to: {group: \"\", kind: Service, name: %s}",
			to.Namespace, route.Kind.Group, route.Kind.Kind, route.Namespace, to.Name)
}

// suggestService names the Service that was probably meant.
func suggestService(p *analyze.Pass, f *analyze.Finding, name, namespace string) {
	p.Advise(func() {
		var here []string
		for _, svc := range mesh.InNamespace(p.Services(), namespace) {
			here = append(here, svc.Name)
		}
		if best := hint.Closest(name, here); best != "" {
			f.Suggest("change it to %q", best)
		}
	})
}

// hostBackend judges a backend of Istio's kind Hostname: a host of the registry.
func hostBackend(p *analyze.Pass, route *mesh.KubernetesRoute, b mesh.RouteBackend) {
	host := string(b.Ref.Name)
	found := p.Registry().Lookup(host, route.Namespace)
	if hidden := p.Registry().All(host); len(found) == 0 && len(hidden) > 0 {
		p.Report(route.At("%s.name", b.Path), "the host %q is not exported to namespace %q", host, route.Namespace).
			Evidence(hidden[0].Object.At("spec.exportTo"), "keeps it from there")
		return
	}
	if len(found) == 0 {
		if _, namespace, ok := p.ServiceName(host); ok && !p.KnownIn(mesh.Service, namespace) {
			p.CantTell(mesh.Service, namespace)
		} else if !ok && !p.Known(mesh.ServiceEntry) {
			p.CantTell(mesh.ServiceEntry, "")
		} else {
			p.Report(route.At("%s.name", b.Path), "nothing in the mesh answers for the host %q", host).
				Suggest("add a ServiceEntry for %q, or correct the name", host)
		}
		return
	}
	if b.Ref.Port != nil && !answersOn(found, *b.Ref.Port) {
		p.Report(route.At("%s.port", b.Path), "the host %q has no port %d", host, *b.Ref.Port).
			Evidence(found[0].Object.At("spec.ports"), "has other ports")
	}
}

func answersOn(hosts []*mesh.Host, port gatewayapi.PortNumber) bool {
	for _, h := range hosts {
		for _, hp := range h.Ports {
			if hp.Number == uint32(port) {
				return true
			}
		}
	}
	return false
}
