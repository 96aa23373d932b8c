package destinationrule

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SubsetWithoutLabels finds subsets that are the whole host.
var SubsetWithoutLabels = &analyze.Check{
	Code: "MSH0203", Name: "subset-without-labels", Severity: analyze.Info, KIA: "KIA0209",
	Reads: []mesh.Kind{mesh.DestinationRule},
	Doc: analyze.Doc{
		What: "A subset of a DestinationRule has neither labels nor a trafficPolicy.",
		Why:  "All endpoints of the host are in it: a route to the subset is a route to the host. That is fine for a name of its own, and wrong if a version was meant.",
		Fix:  "Add the labels of the pods that are meant, or remove the subset.",
	},
	Run: func(p *analyze.Pass) {
		for _, dr := range p.DestinationRules() {
			for i, subset := range dr.Spec.GetSubsets() {
				if len(subset.GetLabels()) == 0 && subset.GetTrafficPolicy() == nil {
					p.Report(dr.At("spec.subsets[%d]", i), "the subset %q has no labels: it is the whole host", subset.GetName())
				}
			}
		}
	},
}
