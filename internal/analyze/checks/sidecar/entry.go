package sidecar

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// entry is one host without a wildcard of a Sidecar's egress.
type entry struct {
	sidecar *mesh.Resource[*networking.Sidecar]
	// everywhere says that the Sidecar is for workloads of all namespaces.
	everywhere bool
	namespace  string // "*" for any
	host       string
}

// newEntry reads an entry; ok is false when there is nothing to judge about it.
func newEntry(p *analyze.Pass, sc *mesh.Resource[*networking.Sidecar], text string) (e entry, ok bool) {
	namespace, host, ok := strings.Cut(text, "/")
	if !ok || strings.HasPrefix(namespace, "~") || strings.HasPrefix(host, "*") || host == "" {
		return entry{}, false
	}
	e = entry{sidecar: sc, namespace: namespace, host: strings.ToLower(host)}
	e.everywhere = sc.Namespace == p.RootNamespace() && sc.Spec.GetWorkloadSelector() == nil
	if namespace == "." {
		e.namespace = sc.Namespace
		if e.everywhere {
			e.namespace = "*" // each workload's own
		}
	}
	return e, true
}

// names says whether an entry means a host by name and namespace.
func (e entry) names(h *mesh.Host) bool {
	return h.Name == e.host && (e.namespace == "*" || h.Object.Namespace == e.namespace)
}

// imports says whether the entry lets in a Service or ServiceEntry: one of the
// very name, since a wildcard's part is not imported.
func (e entry) imports(p *analyze.Pass) bool {
	return slices.ContainsFunc(p.Registry().All(e.host), func(h *mesh.Host) bool {
		if e.everywhere {
			return e.names(h) && (h.ExportedByName() || h.VisibleFrom(h.Object.Namespace))
		}
		return e.names(h) && h.VisibleFrom(e.sidecar.Namespace)
	})
}

// knows says whether the input holds all objects of a kind that the entry may mean.
func (e entry) knows(p *analyze.Pass, kind mesh.Kind) bool {
	switch {
	case e.namespace == "*" && !p.KnownEverywhere(kind):
		p.CantTell(kind, "")
		return false
	case e.namespace != "*" && !p.KnownIn(kind, e.namespace):
		p.CantTell(kind, e.namespace)
		return false
	}
	return true
}

// wildcardImported says whether the Sidecar lets a host with a wildcard in by
// another entry. Then this one is superfluous, no more.
func (e entry) wildcardImported(h *mesh.Host) bool {
	for _, egress := range e.sidecar.Spec.GetEgress() {
		for _, text := range egress.GetHosts() {
			namespace, pattern, _ := strings.Cut(text, "/")
			here := namespace == "*" || namespace == h.Object.Namespace ||
				namespace == "." && (e.everywhere || e.sidecar.Namespace == h.Object.Namespace)
			if here && mesh.HostMatches(pattern, h.Name) {
				return true
			}
		}
	}
	return false
}

// full is the entry as it should be for a Service.
func (e entry) full(p *analyze.Pass, name, of string) string {
	if of == e.sidecar.Namespace && !e.everywhere {
		return "./" + p.FQDN(name, of)
	}
	return of + "/" + p.FQDN(name, of)
}

// routedHosts are the VirtualServices for sidecars by their hosts, which a
// Sidecar lets in too: with the namespace before the slash, and as */.
type routedHosts map[string][]*mesh.Resource[*networking.VirtualService]

func newRoutedHosts(p *analyze.Pass) routedHosts {
	hosts := routedHosts{}
	for _, vs := range p.VirtualServices() {
		if !mesh.InMesh(vs.Spec) {
			continue
		}
		for _, host := range vs.Spec.GetHosts() {
			fqdn := p.FQDN(host, vs.Namespace)
			hosts[vs.Namespace+"/"+fqdn] = append(hosts[vs.Namespace+"/"+fqdn], vs)
			hosts["*/"+fqdn] = append(hosts["*/"+fqdn], vs)
		}
	}
	return hosts
}

// imported says whether the entry lets in a VirtualService, or else one that is
// kept from the Sidecar. Other than with Services, its wildcard may cover the entry.
func (r routedHosts) imported(p *analyze.Pass, e entry) (imported bool, hidden *mesh.Object) {
	keys := []string{e.host, "*"}
	for i := range len(e.host) {
		if e.host[i] == '.' {
			keys = append(keys, "*"+e.host[i:])
		}
	}
	for _, key := range keys {
		for _, vs := range r[e.namespace+"/"+key] {
			if e.everywhere || p.Visible(mesh.VirtualService, vs.Spec.GetExportTo(), vs.Namespace, e.sidecar.Namespace) {
				return true, nil
			}
			hidden = vs.Object
		}
	}
	return false, hidden
}
