package virtualservice

import (
	"slices"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingSubset finds routes to subsets that no DestinationRule defines.
var MissingSubset = &analyze.Check{
	Code: "IST0101", Name: "missing-subset", Severity: analyze.Error, KIA: "KIA1107",
	Reads: []mesh.Kind{mesh.VirtualService, mesh.DestinationRule},
	Doc: analyze.Doc{
		What: "A VirtualService sends traffic to a subset of a host that no DestinationRule for the host defines.",
		Why:  "Proxies have no cluster for the subset: requests that match the route fail with 503 (response flag NC), although the host itself is fine.",
		Fix:  "Add the subset to the host's DestinationRule, or name one that it has.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			for _, r := range mesh.Routes(vs.Spec) {
				if r.Destination.GetSubset() != "" && r.Destination.GetHost() != "" {
					checkSubset(p, vs.At("%s.subset", r.Path), p.FQDN(r.Destination.GetHost(), vs.Namespace), r.Destination.GetSubset())
				}
			}
		}
	},
}

func checkSubset(p *analyze.Pass, at mesh.Location, fqdn, subset string) {
	rules := p.RulesFor(fqdn)
	var there []string
	for _, dr := range rules {
		for _, s := range dr.Spec.GetSubsets() {
			there = append(there, s.GetName())
		}
	}
	if slices.Contains(there, subset) {
		return
	}
	if len(rules) == 0 {
		namespaces := []string{at.Object.Namespace}
		if _, ns, ok := p.ServiceName(fqdn); ok && ns != at.Object.Namespace {
			namespaces = append(namespaces, ns)
		}
		for _, ns := range namespaces {
			if !p.KnownIn(mesh.DestinationRule, ns) {
				p.CantTell(mesh.DestinationRule, ns)
				return
			}
		}
		p.Report(at, "no DestinationRule for %q defines the subset %q: there is none for the host", fqdn, subset).
			Suggest("create a DestinationRule for the host with the subset %q", subset)
		return
	}
	f := p.Report(at, "no DestinationRule for %q defines the subset %q", fqdn, subset)
	for _, dr := range rules {
		f.Evidence(dr.At("spec.subsets"), "is for the host")
	}
	if best := hint.Closest(subset, there); best != "" {
		f.Suggest("change the subset to %q", best)
	} else {
		f.Suggest("add the subset %q to %s", subset, rules[0].Ref)
	}
}
