package sidecar

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// sidecars are Sidecars with their specs.
type sidecars = []*mesh.Resource[*networking.Sidecar]

// Conflicting finds Sidecars that select the same workload.
var Conflicting = &analyze.Check{
	Code: "IST0110", Name: "conflicting-sidecars", Severity: analyze.Error, KIA: "KIA0003",
	Reads: []mesh.Kind{mesh.Sidecar, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace),
	Doc: analyze.Doc{
		What: "The workloadSelectors of several Sidecars of a namespace pick the same workload.",
		Why:  "Only one Sidecar applies to a proxy, and which of them is not defined: hosts can vanish from the workload's view when another wins.",
		Fix:  "Merge the Sidecars, or make their selectors exclusive.",
	},
	Run: func(p *analyze.Pass) {
		chosenBy := map[*mesh.Workload]sidecars{}
		for _, sc := range p.Sidecars() {
			if labels := sc.Spec.GetWorkloadSelector().GetLabels(); len(labels) > 0 {
				for _, w := range p.Select(sc.Namespace, labels) {
					chosenBy[w] = append(chosenBy[w], sc)
				}
			}
		}
		for _, sc := range p.Sidecars() {
			conflict(p, sc, chosenBy)
		}
	},
}

// conflict reports a Sidecar once, with the first workload that others select too.
func conflict(p *analyze.Pass, sc *mesh.Resource[*networking.Sidecar], chosenBy map[*mesh.Workload]sidecars) {
	labels := sc.Spec.GetWorkloadSelector().GetLabels()
	if len(labels) == 0 {
		return
	}
	for _, w := range p.Select(sc.Namespace, labels) {
		if len(chosenBy[w]) < 2 {
			continue
		}
		if in := p.DataPlane(w); in != mesh.InSidecar && in != mesh.Undecided {
			continue
		}
		f := p.Report(sc.At("spec.workloadSelector.labels"), "%s %s is selected by %d Sidecars, only one of which applies", w.Object.Kind.Kind, w.Object.Name, len(chosenBy[w]))
		evidence := 0
		for _, other := range chosenBy[w] {
			if other.Object != sc.Object && evidence < 3 {
				f.Evidence(other.At("spec.workloadSelector.labels"), "selects it too")
				evidence++
			}
		}
		return
	}
}
