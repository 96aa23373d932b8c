package virtualservice

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// BypassedSubsets finds routes of gateways that pass by the rules that sidecars
// have for the destination.
var BypassedSubsets = &analyze.Check{
	Code: "IST0140", Name: "ingress-route-bypasses-subsets", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "A VirtualService for a gateway sends traffic to a host as a whole, while another VirtualService, for sidecars, divides the host's traffic among subsets. When that one sends it all to one subset, it is only worth knowing.",
		Why:  "A request is routed once, by the VirtualService of the proxy that first sees it. What comes through the gateway goes to all versions alike: weights, canaries and header rules hold for calls inside the mesh only.",
		Fix:  "Route to the subsets here as well; or bind the other VirtualService to the gateway too, with the gateway's hosts.",
	},
	Run: func(p *analyze.Pass) {
		divided := dividedHosts(p)
		for _, vs := range p.VirtualServices() {
			if len(mesh.GatewayNames(vs.Spec, vs.Namespace)) == 0 {
				continue
			}
			for _, r := range mesh.Routes(vs.Spec) {
				if r.HTTP == nil || r.Mirror || r.Destination.GetSubset() != "" {
					continue
				}
				other, ok := divided[p.FQDN(r.Destination.GetHost(), vs.Namespace)]
				if !ok || other.vs == vs.Object || !p.Visible(mesh.VirtualService, other.exportTo, other.vs.Namespace, vs.Namespace) {
					continue
				}
				bypassed(p, vs.At("%s.host", r.Path), r.Destination.GetHost(), other)
			}
		}
	},
}

func bypassed(p *analyze.Pass, at mesh.Location, host string, other *divided) {
	var f *analyze.Finding
	if len(other.subsets) > 1 {
		f = p.Report(at, "traffic of the gateway passes by the subsets that %s divides %q into", other.vs.Ref, host)
	} else {
		f = p.Report(at, "traffic of the gateway is not confined to the subset of %q that %s sends it to", host, other.vs.Ref).As(analyze.Info)
	}
	f.Evidence(other.vs.At("%s.subset", other.path), "is in force for sidecars only").
		Suggest("route to subsets here as well")
}

// divided is a VirtualService that sends the traffic of its own host to subsets.
type divided struct {
	vs       *mesh.Object
	path     string
	exportTo []string
	subsets  map[string]bool
}

func dividedHosts(p *analyze.Pass) map[string]*divided {
	byHost := map[string]*divided{}
	for _, vs := range p.VirtualServices() {
		if !mesh.InMesh(vs.Spec) {
			continue
		}
		own := map[string]bool{}
		for _, host := range vs.Spec.GetHosts() {
			own[p.FQDN(host, vs.Namespace)] = true
		}
		for _, r := range mesh.Routes(vs.Spec) {
			fqdn := p.FQDN(r.Destination.GetHost(), vs.Namespace)
			if !own[fqdn] || r.HTTP == nil || r.Mirror || r.Destination.GetSubset() == "" || someClients(r.HTTP) {
				continue
			}
			if byHost[fqdn] == nil {
				byHost[fqdn] = &divided{vs.Object, r.Path, vs.Spec.GetExportTo(), map[string]bool{}}
			}
			if byHost[fqdn].vs == vs.Object {
				byHost[fqdn].subsets[r.Destination.GetSubset()] = true
			}
		}
	}
	return byHost
}

// someClients says whether a rule is for some clients of the mesh only, or for
// none of them: what gateways do is then another matter.
func someClients(http *networking.HTTPRoute) bool {
	for _, m := range http.GetMatch() {
		if len(m.GetSourceLabels()) == 0 && m.GetSourceNamespace() == "" && forSidecars(m.GetGateways()) {
			return false
		}
	}
	return len(http.GetMatch()) > 0
}
