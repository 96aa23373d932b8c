// Package deadconfig has the checks of configuration that does nothing. What is
// used cannot be told from configuration alone, so each says what it rests on.
package deadconfig

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnusedSubset finds subsets that no route sends anything to.
var UnusedSubset = &analyze.Check{
	Code: "MSH0901", Name: "unused-subset", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.VirtualService},
	Doc: analyze.Doc{
		What: "No VirtualService of the mesh sends or mirrors traffic to a subset of a DestinationRule. It rests on the VirtualServices alone: an EnvoyFilter may still name the subset's cluster.",
		Why:  "Every proxy that sees the host has a cluster for the subset all the same, with statistics and connections' settings of its own.",
		Fix:  "Remove the subset, or route to it.",
	},
	Run: func(p *analyze.Pass) {
		if !p.KnownEverywhere(mesh.VirtualService) {
			return
		}
		used := usedSubsets(p)
		for _, dr := range p.DestinationRules() {
			host := p.FQDN(dr.Spec.GetHost(), dr.Namespace)
			for i, subset := range dr.Spec.GetSubsets() {
				if subset.GetName() != "" && !used.has(host, subset.GetName()) {
					p.Report(dr.At("spec.subsets[%d].name", i), "no VirtualService sends anything to subset %q of %q", subset.GetName(), dr.Spec.GetHost()).
						Suggest("remove the subset, if no EnvoyFilter uses it")
				}
			}
		}
	},
}

// subsetUse are the hosts that routes name with a subset, by subset; ends of
// hosts stand for wildcards over them.
type subsetUse map[string]map[string]bool

func usedSubsets(p *analyze.Pass) subsetUse {
	used := subsetUse{}
	for _, vs := range p.VirtualServices() {
		for _, r := range mesh.Routes(vs.Spec) {
			subset := r.Destination.GetSubset()
			if subset == "" {
				continue
			}
			if used[subset] == nil {
				used[subset] = map[string]bool{"*": true}
			}
			host := p.FQDN(r.Destination.GetHost(), vs.Namespace)
			used[subset][host] = true
			for i := range host {
				if host[i] == '.' {
					used[subset]["*"+host[i:]] = true
				}
			}
		}
	}
	return used
}

func (u subsetUse) has(host, subset string) bool {
	return u[subset][strings.ToLower(host)]
}
