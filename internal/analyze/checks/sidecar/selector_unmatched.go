// Package sidecar has the checks of Sidecars.
package sidecar

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SelectorUnmatched finds Sidecars that are for no workload.
var SelectorUnmatched = &analyze.Check{
	Code: "IST0101", Name: "sidecar-without-workloads", Severity: analyze.Error, KIA: "KIA0004",
	Reads: []mesh.Kind{mesh.Sidecar, mesh.Pod},
	Uses:  selector.Kinds(),
	Doc: analyze.Doc{
		What: "No workload of the Sidecar's namespace has the labels that its workloadSelector asks for.",
		Why:  "The Sidecar does nothing: the workloads that were meant keep the namespace's default, and their proxies get more configuration, or less, than was thought.",
		Fix:  "Correct the labels, which are those of the pods, not of the Deployment or Service; or remove the Sidecar.",
	},
	Run: func(p *analyze.Pass) {
		for _, sc := range p.Sidecars() {
			labels := sc.Spec.GetWorkloadSelector().GetLabels()
			if len(labels) == 0 || p.Selects(sc.Namespace, labels) {
				continue
			}
			if !p.KnowsWorkloads(sc.Namespace) {
				p.CantTell(mesh.Pod, sc.Namespace)
				continue
			}
			f := p.Report(sc.At("spec.workloadSelector.labels"), "no workload in namespace %q has the labels %s", sc.Namespace, selector.Text(labels))
			selector.Suggest(f, p, sc.Namespace, labels)
		}
	},
}
