// Package telemetry has the checks of Telemetries.
package telemetry

import (
	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

type resource = *mesh.Resource[*telemetry.Telemetry]

// targeted says whether a Telemetry is attached to Gateways or Services instead
// of workloads.
func targeted(t resource) bool {
	return len(t.Spec.GetTargetRefs()) > 0 || t.Spec.GetTargetRef() != nil
}

// selects are the labels by which a Telemetry picks workloads; nil when it
// picks none by labels.
func selects(t resource) map[string]string {
	if targeted(t) {
		return nil
	}
	return t.Spec.GetSelector().GetMatchLabels()
}

// SelectorUnmatched finds Telemetries that are for no workload.
var SelectorUnmatched = &analyze.Check{
	Code: "IST0101", Name: "telemetry-without-workloads", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.Telemetry, mesh.Pod},
	Uses:  selector.Kinds(),
	Doc: analyze.Doc{
		What: "No workload of the Telemetry's namespace has the labels that its selector asks for.",
		Why:  "The Telemetry does nothing: logs, metrics and traces of the workloads that were meant stay as the namespace or the mesh has them.",
		Fix:  "Correct the labels, which are those of the pods, not of the Deployment or Service; or remove the Telemetry. A selector picks workloads of the Telemetry's own namespace only, in the root namespace too.",
	},
	Run: func(p *analyze.Pass) {
		for _, t := range p.Telemetries() {
			labels := selects(t)
			if len(labels) == 0 || p.Selects(t.Namespace, labels) {
				continue
			}
			if !p.KnowsWorkloads(t.Namespace) {
				p.CantTell(mesh.Pod, t.Namespace)
				continue
			}
			f := p.Report(t.At("spec.selector.matchLabels"), "no workload in namespace %q has the labels %s", t.Namespace, selector.Text(labels))
			selector.Suggest(f, p, t.Namespace, labels)
		}
	},
}
