package authorizationpolicy

import (
	"slices"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Uncovered finds namespaces with workloads that no policy protects, in a mesh
// that has policies.
var Uncovered = &analyze.Check{
	Code: "MSH0604", Name: "workload-without-policy", Severity: analyze.Info, KIA: "KIA1301",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace),
	Doc: analyze.Doc{
		What: "The mesh uses AuthorizationPolicies, but none applies to some workload. It is said once for each namespace.",
		Why:  "Where no policy applies everything is allowed: whoever can reach the workload may call it.",
		Fix:  "Add a policy for the workload, or one without rules for the whole namespace, which refuses what no other policy allows.",
	},
	Run: func(p *analyze.Pass) {
		var selecting []policy
		skipped := map[string]bool{p.RootNamespace(): true, p.IstioNamespace(): true}
		for _, ap := range p.AuthorizationPolicies() {
			if targeted(ap.Spec) {
				skipped[ap.Namespace] = true // what stands behind a waypoint is not for us to say
			} else {
				selecting = append(selecting, ap)
			}
		}
		index := mesh.IndexSelectors(selecting, labelsOf)
		if len(selecting) == 0 || len(index.Defaults(p.RootNamespace())) > 0 {
			return
		}
		for _, ns := range namespaces(p) {
			if !skipped[ns] && len(index.Defaults(ns)) == 0 {
				uncovered(p, ns, index)
			}
		}
	},
}

// namespaces are those with workloads, in order.
func namespaces(p *analyze.Pass) []string {
	var all []string
	for _, w := range p.Workloads() {
		all = append(all, w.Object.Namespace)
	}
	return slices.Compact(all)
}

// uncovered reports the first workload of a namespace that nothing protects.
func uncovered(p *analyze.Pass, namespace string, index *mesh.Selectors[spec]) {
	root := p.RootNamespace()
	var first *mesh.Workload
	more := 0
	for _, w := range p.WorkloadsIn(namespace) {
		if in := p.DataPlane(w); in == mesh.OutOfMesh || in == mesh.Undecided || isGateway(w) ||
			len(index.Selecting(namespace, w.PodLabels)) > 0 || len(index.Selecting(root, w.PodLabels)) > 0 {
			continue
		}
		if first == nil {
			first = w
		} else {
			more++
		}
	}
	if first == nil {
		return
	}
	for _, ns := range []string{namespace, root} {
		if !p.KnownIn(mesh.AuthorizationPolicy, ns) {
			p.CantTell(mesh.AuthorizationPolicy, ns)
			return
		}
	}
	also := ""
	switch {
	case more == 1:
		also = ", nor to another workload of the namespace"
	case more > 1:
		also = ", nor to other workloads of the namespace"
	}
	p.Report(first.Object.At(""), "no AuthorizationPolicy applies to it%s: everybody may call", also)
}

// isGateway says whether a workload is there to be called by everybody.
func isGateway(w *mesh.Workload) bool {
	_, labelled := w.PodLabels["istio"]
	return labelled || w.IsGateway()
}
