package sidecar

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownHost finds egress hosts that let nothing through.
var UnknownHost = &analyze.Check{
	Code: "MSH0520", Name: "sidecar-unknown-host", Severity: analyze.Warning, KIA: "KIA1004",
	Reads: []mesh.Kind{mesh.Sidecar, mesh.Service, mesh.ServiceEntry, mesh.VirtualService},
	Doc: analyze.Doc{
		What: "A host in the egress list of a Sidecar is no Service, ServiceEntry or VirtualService of the namespace before the slash.",
		Why:  "The entry lets nothing through: the proxy does not learn of what was meant, and requests to it go out as to an unknown host, or are refused with REGISTRY_ONLY.",
		Fix:  "Write namespace/full.host.name: the namespace is the one that the Service lives in, or *, and the name is complete, such as shop/cart.shop.svc.cluster.local. Short names are not completed here.",
	},
	Run: func(p *analyze.Pass) {
		var routed map[string]bool
		for _, sc := range p.Sidecars() {
			for i, egress := range sc.Spec.GetEgress() {
				for j, entry := range egress.GetHosts() {
					namespace, host, ok := strings.Cut(entry, "/")
					if !ok || strings.HasPrefix(namespace, "~") || strings.HasPrefix(host, "*") || host == "" {
						continue
					}
					if namespace == "." {
						namespace = sc.Namespace
					}
					if routed == nil {
						routed = routedHosts(p)
					}
					host = strings.ToLower(host)
					if !imported(p, namespace, host) && !routed[namespace+"/"+host] && !routed["*/"+host] {
						unknownHost(p, sc.At("spec.egress[%d].hosts[%d]", i, j), namespace, host)
					}
				}
			}
		}
	},
}

// routedHosts are the hosts of VirtualServices, which a Sidecar lets through
// too: with their namespace before the slash, and those with wildcards as */.
func routedHosts(p *analyze.Pass) map[string]bool {
	hosts := map[string]bool{}
	for _, vs := range p.VirtualServices() {
		for _, host := range vs.Spec.GetHosts() {
			fqdn := p.FQDN(host, vs.Namespace)
			hosts[vs.Namespace+"/"+fqdn], hosts["*/"+fqdn] = true, true
		}
	}
	return hosts
}

// imported says whether something of the namespace, or of any for *, answers
// for the host.
func imported(p *analyze.Pass, namespace, host string) bool {
	return slices.ContainsFunc(p.Registry().All(host), func(h *mesh.Host) bool {
		return namespace == "*" || h.Object.Namespace == namespace
	})
}

func unknownHost(p *analyze.Pass, at mesh.Location, namespace, host string) {
	prefix := at.Object.Namespace + "/"
	full := func(name, of string) string {
		if of+"/" == prefix {
			return "./" + p.FQDN(name, of)
		}
		return of + "/" + p.FQDN(name, of)
	}
	if hosts := p.Registry().All(host); len(hosts) > 0 {
		// Wildcards of ServiceEntries and other namespaces: the name is right.
		owner := hosts[0].Object
		if owner.Kind == mesh.ServiceEntry && !p.KnownIn(mesh.ServiceEntry, namespace) {
			p.CantTell(mesh.ServiceEntry, namespace)
			return
		}
		p.Report(at, "%q is not in namespace %q but in %q: the entry lets nothing through", host, namespace, owner.Namespace).
			Suggest("change it to %q", owner.Namespace+"/"+host).
			Evidence(owner.At(""), "answers for the host")
		return
	}
	name, in, ok := p.ServiceName(host)
	short := strings.TrimSuffix(host, ".svc")
	if parts := strings.Split(short, "."); !ok && len(parts) <= 2 {
		of := namespace
		if len(parts) == 2 {
			of = parts[1]
		}
		if p.Get(mesh.Service, of, parts[0]) != nil {
			p.Report(at, "%q is no full host name, and short ones are not completed here: the entry lets nothing through", host).
				Suggest("change it to %q", full(parts[0], of))
			return
		}
	}
	switch {
	case ok && !p.KnownIn(mesh.Service, in):
		p.CantTell(mesh.Service, in)
	case ok:
		f := p.Report(at, "there is no Service %q in namespace %q: the entry lets nothing through", name, in)
		p.MayBeElsewhere(f)
		p.Advise(func() {
			var there []string
			for _, svc := range mesh.InNamespace(p.Services(), in) {
				there = append(there, svc.Name)
			}
			if best := hint.Closest(name, there); best != "" {
				f.Suggest("change it to %q", full(best, in))
			}
		})
	case strings.Contains(host, ".svc."): // another cluster's domain
	case !p.KnownEverywhere(mesh.ServiceEntry):
		p.CantTell(mesh.ServiceEntry, "")
	default:
		p.Report(at, "no ServiceEntry has the host %q, and it is no Service either: the entry lets nothing through", host)
	}
}
