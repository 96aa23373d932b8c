package sidecar

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MultipleDefault finds namespaces with several default Sidecars.
var MultipleDefault = &analyze.Check{
	Code: "IST0111", Name: "multiple-default-sidecars", Severity: analyze.Error, KIA: "KIA0002",
	Reads: []mesh.Kind{mesh.Sidecar},
	Doc: analyze.Doc{
		What: "A namespace has several Sidecars without workloadSelector: each wants to be the default for all its workloads.",
		Why:  "Only one of them applies, and which is not defined: hosts can vanish from every workload's view when another wins.",
		Fix:  "Merge them into one, or give all but one a workloadSelector.",
	},
	Run: func(p *analyze.Pass) {
		defaults := map[string]sidecars{}
		for _, sc := range p.Sidecars() {
			if len(sc.Spec.GetWorkloadSelector().GetLabels()) == 0 {
				defaults[sc.Namespace] = append(defaults[sc.Namespace], sc)
			}
		}
		for _, sc := range p.Sidecars() {
			rivals := defaults[sc.Namespace]
			if len(rivals) < 2 || len(sc.Spec.GetWorkloadSelector().GetLabels()) > 0 {
				continue
			}
			f := p.Report(sc.At(""), "%d Sidecars of namespace %q have no workloadSelector, only one of which applies", len(rivals), sc.Namespace)
			evidence := 0
			for _, other := range rivals {
				if other.Object != sc.Object && evidence < 3 {
					f.Evidence(other.At(""), "has none either")
					evidence++
				}
			}
		}
	},
}
