package virtualservice

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingHost finds routes to hosts that nothing in the mesh answers for.
var MissingHost = &analyze.Check{
	Code: "IST0101", Name: "missing-host", Severity: analyze.Error, KIA: "KIA1101",
	Reads: []mesh.Kind{mesh.VirtualService, mesh.Service, mesh.ServiceEntry},
	Doc: analyze.Doc{
		What: "A VirtualService sends or mirrors traffic to a host that is neither a Service nor the host of a ServiceEntry, or that is not exported to where the traffic comes from.",
		Why:  "Proxies have no cluster for the host: requests that match the route fail with 503 (response flag NC), whatever runs behind that name.",
		Fix:  "Correct the name. A name without a dot means a Service in the VirtualService's own namespace; anything else must be a full name such as reviews.shop.svc.cluster.local. Hosts outside the cluster need a ServiceEntry.",
	},
	Run: func(p *analyze.Pass) {
		registry := p.Registry()
		for _, vs := range p.VirtualServices() {
			for _, r := range mesh.Routes(vs.Spec) {
				host := r.Destination.GetHost()
				if host == "" {
					continue
				}
				fqdn := p.FQDN(host, vs.Namespace)
				found := registry.All(fqdn)
				exact := strings.ToLower(strings.TrimSuffix(host, "."))
				switch {
				case len(found) > 0 && found[0].Service != nil && host != exact:
					// DNS would not mind; names of clusters are compared as they stand.
					at := vs.At("%s.host", r.Path)
					p.Report(at, "%q is no host: Istio compares letter by letter, and the Service is %q", host, exact).
						Suggest("change the host to %q", exact).Replace(at, exact)
				case len(found) > 0:
					hiddenHost(p, vs, vs.At("%s.host", r.Path), found)
				default:
					missingHost(p, vs.At("%s.host", r.Path), host, fqdn)
				}
			}
		}
	},
}

// missingHost reports a host that is in no registry, if the input says enough
// to be sure.
func missingHost(p *analyze.Pass, at mesh.Location, host, fqdn string) {
	if name, namespace, ok := p.ServiceName(fqdn); ok {
		if !p.KnownIn(mesh.Service, namespace) {
			p.CantTell(mesh.Service, namespace)
			return
		}
		if p.Undiscovered(mesh.Service, namespace, name) != nil {
			p.Report(at, "Service %q is no host in the mesh: no discoverySelectors of the mesh config select its namespace %q", name, namespace).
				Suggest("label namespace %q as one of meshConfig.discoverySelectors asks for", namespace)
			return
		}
		f := p.Report(at, "there is no Service %q in namespace %q", name, namespace)
		p.MayBeElsewhere(f)
		p.Advise(func() { suggestHost(f, p, host, name, namespace) })
		return
	}
	if name, namespace, ok := halfName(host); ok && p.Get(mesh.Service, namespace, name) != nil {
		p.Report(at, "%q is no host: a name with a dot is taken as it stands, not as a Service of namespace %q", host, namespace).
			Suggest("write it out: %q", name+"."+namespace+".svc."+p.ClusterDomain()).
			Replace(at, name+"."+namespace+".svc."+p.ClusterDomain())
		return
	}
	if strings.Contains(fqdn, ".svc.") {
		return // another cluster's domain, or one that the input does not tell
	}
	if !p.Known(mesh.ServiceEntry) {
		p.CantTell(mesh.ServiceEntry, "")
		return
	}
	p.Report(at, "no ServiceEntry has the host %q, and it is no Service either", host).
		Suggest("add a ServiceEntry for %q, or correct the name", host)
}

// suggestHost names the Service that was probably meant.
func suggestHost(f *analyze.Finding, p *analyze.Pass, host, name, namespace string) {
	var here []string
	for _, svc := range mesh.InNamespace(p.Services(), namespace) {
		here = append(here, svc.Name)
	}
	if best := hint.Closest(name, here); best != "" {
		f.Suggest("change the host to %q", strings.Replace(host, name, best, 1))
		return
	}
	for _, svc := range p.Services() {
		if svc.Name == name {
			f.Suggest("change the host to %q, which is in namespace %q", name+"."+svc.Namespace+".svc."+p.ClusterDomain(), svc.Namespace)
			return
		}
	}
}

// halfName splits name.namespace and name.namespace.svc, which DNS would
// complete but Istio does not.
func halfName(host string) (name, namespace string, ok bool) {
	parts := strings.Split(strings.TrimSuffix(host, ".svc"), ".")
	if len(parts) != 2 {
		return "", "", false
	}
	return parts[0], parts[1], true
}
