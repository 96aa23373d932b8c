package sidecar

import (
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
		What: "A host in the egress list of a Sidecar is no Service, ServiceEntry or VirtualService of the namespace before the slash, or is not exported to the Sidecar's.",
		Why:  "The entry lets nothing through: the proxy does not learn of what was meant, and requests to it go out as to an unknown host, or are refused with REGISTRY_ONLY.",
		Fix:  "Write namespace/full.host.name: the namespace is the one that the Service lives in, or *, and the name is complete, such as shop/cart.shop.svc.cluster.local. Short names are not completed here, and a ServiceEntry for *.example.com is let through by *.example.com, not by a.example.com. What exportTo keeps from the Sidecar's namespace has to be exported there.",
	},
	Run: func(p *analyze.Pass) {
		var routed routedHosts
		for _, sc := range p.Sidecars() {
			for i, egress := range sc.Spec.GetEgress() {
				for j, text := range egress.GetHosts() {
					e, ok := newEntry(p, sc, text)
					if !ok {
						continue
					}
					if routed == nil {
						routed = newRoutedHosts(p)
					}
					if e.imports(p) {
						continue
					}
					if imported, hidden := routed.imported(p, e); !imported {
						unknownHost(p, sc.At("spec.egress[%d].hosts[%d]", i, j), e, hidden)
					}
				}
			}
		}
	},
}

// unknownHost reports an entry that lets nothing in; hidden is a VirtualService
// that it would let in, were it exported.
func unknownHost(p *analyze.Pass, at mesh.Location, e entry, hidden *mesh.Object) {
	if hosts := p.Registry().All(e.host); len(hosts) > 0 {
		notImported(p, at, e, hosts)
		return
	}
	name, in, ok := p.ServiceName(e.host)
	short := strings.TrimSuffix(e.host, ".svc")
	if parts := strings.Split(short, "."); !ok && len(parts) <= 2 {
		of := e.namespace
		if len(parts) == 2 {
			of = parts[1]
		}
		if p.Get(mesh.Service, of, parts[0]) != nil {
			p.Report(at, "%q is no full host name, and short ones are not completed here: the entry lets nothing through", e.host).
				Suggest("change it to %q", e.full(p, parts[0], of))
			return
		}
	}
	switch {
	case ok && !p.KnownIn(mesh.Service, in):
		p.CantTell(mesh.Service, in)
	case ok && p.Undiscovered(mesh.Service, in, name) != nil:
		p.Report(at, "Service %q is no host in the mesh, since no discoverySelectors of the mesh config select its namespace %q: the entry lets nothing through", name, in).
			Suggest("label namespace %q as one of meshConfig.discoverySelectors asks for", in)
	case ok:
		f := p.Report(at, "there is no Service %q in namespace %q: the entry lets nothing through", name, in)
		p.MayBeElsewhere(f)
		p.Advise(func() {
			var there []string
			for _, svc := range mesh.InNamespace(p.Services(), in) {
				there = append(there, svc.Name)
			}
			if best := hint.Closest(name, there); best != "" {
				f.Suggest("change it to %q", e.full(p, best, in))
			}
		})
	case strings.Contains(e.host, ".svc."): // another cluster's domain
	case !p.KnownEverywhere(mesh.ServiceEntry):
		p.CantTell(mesh.ServiceEntry, "")
	case hidden != nil:
		notExported(p, at, e, hidden, "spec.exportTo")
	default:
		p.Report(at, "no ServiceEntry has the host %q, and it is no Service either: the entry lets nothing through", e.host)
	}
}

// notImported reports an entry for a host that something answers for, but
// elsewhere, under a wildcard, or for others.
func notImported(p *analyze.Pass, at mesh.Location, e entry, hosts []*mesh.Host) {
	owner := hosts[0]
	for _, h := range hosts {
		if e.names(h) {
			owner = h // the best that there is
			break
		}
	}
	if owner.Entry != nil && !e.knows(p, mesh.ServiceEntry) {
		return
	}
	switch {
	case owner.Name != e.host:
		if e.wildcardImported(owner) || !e.knows(p, mesh.VirtualService) {
			return
		}
		p.Report(at, "no ServiceEntry has the host %q itself, and one with a wildcard is let through only as it is written: the entry lets nothing through", e.host).
			Suggest("change it to %q, or add a ServiceEntry for %q", owner.Object.Namespace+"/"+owner.Name, e.host).
			Evidence(owner.Object.At(""), "has the host %q", owner.Name)
	case !e.names(owner): // another namespace: the name is right
		p.Report(at, "%q is not in namespace %q but in %q: the entry lets nothing through", e.host, e.namespace, owner.Object.Namespace).
			Suggest("change it to %q", owner.Object.Namespace+"/"+e.host).
			Evidence(owner.Object.At(""), "answers for the host")
	case owner.Service != nil:
		notExported(p, at, e, owner.Object, `metadata.annotations["`+mesh.ExportToAnnotation+`"]`)
	default:
		notExported(p, at, e, owner.Object, "spec.exportTo")
	}
}

func notExported(p *analyze.Pass, at mesh.Location, e entry, o *mesh.Object, field string) {
	if e.everywhere {
		p.Report(at, "%s answers for the host, but is exported to no namespace: the entry lets nothing through", o.Ref).
			Suggest("remove the entry, or change %s of %s", field, o.Ref).
			Evidence(o.At("%s", field), "exports it to nobody")
		return
	}
	p.Report(at, "%s answers for the host, but is not exported to namespace %q: the entry lets nothing through", o.Ref, e.sidecar.Namespace).
		Suggest("add %q to %s of %s, or remove the entry", e.sidecar.Namespace, field, o.Ref).
		Evidence(o.At("%s", field), "is exported elsewhere only")
}
