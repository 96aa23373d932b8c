package virtualservice

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ConflictingHosts finds VirtualServices that want the same traffic of sidecars.
var ConflictingHosts = &analyze.Check{
	Code: "IST0109", Name: "conflicting-mesh-hosts", Severity: analyze.Error, KIA: "KIA1106",
	Reads: []mesh.Kind{mesh.VirtualService},
	Uses:  mesh.ViewKinds(),
	Doc: analyze.Doc{
		What: "Several VirtualServices for sidecars have the same host, are visible from the same namespace, some proxy's Sidecar lets both in, and none is nearer to it than the others.",
		Why:  "Sidecars do not merge VirtualServices: the oldest one counts, and the routes of the others are ignored without a word.",
		Fix:  "Merge them into one VirtualService, in which the order of the routes is yours; or set exportTo so that no namespace sees both.",
	},
	Run: func(p *analyze.Pass) {
		byTier := map[tier][]bound{}
		for _, vs := range p.VirtualServices() {
			if !mesh.InMesh(vs.Spec) {
				continue
			}
			b := bound{vs: vs, http: httpScopes(vs.Spec), tcp: tcpScopes(vs.Spec)}
			for _, t := range tiers(p, vs) {
				byTier[t] = append(byTier[t], b)
			}
		}
		for _, vs := range p.VirtualServices() {
			if mesh.InMesh(vs.Spec) {
				conflicts(p, vs, byTier)
			}
		}
	},
}

// tier is where istiod looks for a host's VirtualService: first those that a
// namespace keeps to itself, then those exported to it, then public ones. Only
// within a tier is it chance which VirtualService counts.
type tier struct {
	name, namespace, host string
}

func tiers(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService]) []tier {
	var all []tier
	exportTo := p.ExportTo(mesh.VirtualService, vs.Spec.GetExportTo())
	for _, host := range vs.Spec.GetHosts() {
		fqdn := p.FQDN(host, vs.Namespace)
		switch {
		case len(exportTo) == 0, slices.Contains(exportTo, "*"):
			all = append(all, tier{"public", "", fqdn})
			continue
		case slices.Contains(exportTo, "~"):
			continue
		}
		for _, ns := range exportTo {
			if ns == "." || ns == vs.Namespace {
				all = append(all, tier{"private", vs.Namespace, fqdn})
			} else {
				all = append(all, tier{"exported", ns, fqdn})
			}
		}
	}
	return all
}

// bound is a VirtualService with the traffic of sidecars that it is for.
type bound struct {
	vs        *mesh.Resource[*networking.VirtualService]
	http, tcp []scope
}

// conflicts reports a VirtualService once for each of its hosts that another has.
func conflicts(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService], byTier map[tier][]bound) {
	self := bound{vs: vs, http: httpScopes(vs.Spec), tcp: tcpScopes(vs.Spec)}
	reported := map[string]bool{}
	for _, t := range tiers(p, vs) {
		var rivals []bound
		for _, other := range byTier[t] {
			if other.vs.Object != vs.Object && (overlap(self.http, other.http) || overlap(self.tcp, other.tcp)) &&
				p.SeenTogether(p.ExportedVirtualService(vs), p.ExportedVirtualService(other.vs)) {
				if rivals = append(rivals, other); len(rivals) == 3 {
					break
				}
			}
		}
		if len(rivals) == 0 || reported[t.host] {
			continue
		}
		reported[t.host] = true
		i := slices.IndexFunc(vs.Spec.GetHosts(), func(host string) bool { return p.FQDN(host, vs.Namespace) == t.host })
		f := p.Report(vs.At("spec.hosts[%d]", i), "another VirtualService for sidecars has the host %q: only the oldest one counts", t.host)
		for _, r := range rivals {
			j := slices.IndexFunc(r.vs.Spec.GetHosts(), func(host string) bool { return p.FQDN(host, r.vs.Namespace) == t.host })
			f.Evidence(r.vs.At("spec.hosts[%d]", j), "has the same host")
		}
		f.Suggest("merge them into one VirtualService")
	}
}
