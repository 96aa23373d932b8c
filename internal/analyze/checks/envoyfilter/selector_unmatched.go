package envoyfilter

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SelectorUnmatched finds EnvoyFilters that are for no workload.
var SelectorUnmatched = &analyze.Check{
	Code: "MSH0721", Name: "envoyfilter-without-workloads", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter, mesh.Pod},
	Uses:  selector.Kinds(),
	Doc: analyze.Doc{
		What: "No workload has the labels that the EnvoyFilter's workloadSelector asks for: none of its namespace, or, in the root namespace, none of the mesh.",
		Why:  "The EnvoyFilter patches nothing. What it was to add, a limit or a header or an access check, is missing without a word.",
		Fix:  "Correct the labels, which are those of the pods, not of the Deployment or Service; or remove the EnvoyFilter.",
	},
	Run: func(p *analyze.Pass) {
		for _, ef := range p.EnvoyFilters() {
			labels, namespace := ef.Spec.GetWorkloadSelector().GetLabels(), ef.Namespace
			known, where := p.KnowsWorkloads(namespace), `in namespace "`+namespace+`"`
			if namespace == p.RootNamespace() {
				namespace, known, where = "", p.KnownEverywhere(mesh.Pod), "in any namespace"
			}
			if len(labels) == 0 || len(ef.Spec.GetTargetRefs()) > 0 || p.Selects(namespace, labels) {
				continue
			}
			if !known {
				p.CantTell(mesh.Pod, namespace)
				continue
			}
			f := p.Report(ef.At("spec.workloadSelector.labels"), "no workload %s has the labels %s", where, selector.Text(labels))
			selector.Suggest(f, p, namespace, labels)
		}
	},
}
