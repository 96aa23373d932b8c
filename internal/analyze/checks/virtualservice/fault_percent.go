package virtualservice

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// DeprecatedFaultPercent finds delays that are given in the old whole-number field.
var DeprecatedFaultPercent = &analyze.Check{
	Code: "IST0002", Name: "deprecated-fault-percent", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "A delay in a VirtualService uses percent, which percentage.value has replaced.",
		Why:  "The field is deprecated: a coming version of Istio may ignore it, and the delay with it.",
		Fix:  "Write percentage: {value: <number>} instead. It takes fractions, too.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			for i, http := range vs.Spec.GetHttp() {
				//nolint:staticcheck // the deprecated field is what this is about
				percent := http.GetFault().GetDelay().GetPercent()
				if percent <= 0 {
					continue
				}
				p.Report(vs.AtKey("spec.http[%d].fault.delay.percent", i), "fault.delay.percent is deprecated").
					Suggest("write percentage: {value: %d}", percent)
			}
		}
	},
}
