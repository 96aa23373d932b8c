package kubegateway

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// IneffectiveSidecar finds Sidecars for workloads that have none.
var IneffectiveSidecar = &analyze.Check{
	Code: "IST0167", Name: "ineffective-sidecar", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Sidecar, mesh.Namespace, mesh.Pod},
	Uses:  mesh.WorkloadKinds()[1:],
	Doc: analyze.Doc{
		What: "A Sidecar is for workloads that are all in ambient mode.",
		Why:  "Sidecars configure sidecar proxies. Ambient workloads have none: neither the egress hosts nor the outbound traffic policy are in force.",
		Fix:  "Remove the Sidecar. In ambient mode ztunnel needs no list of hosts; who may talk to whom is for AuthorizationPolicies.",
	},
	Run: func(p *analyze.Pass) {
		whole := map[string]bool{} // of namespaces: whether all workloads are in ambient mode
		for _, sc := range p.Sidecars() {
			labels := sc.Spec.GetWorkloadSelector().GetLabels()
			if len(labels) == 0 && (sc.Namespace == p.RootNamespace() || !ambient(p, sc.Namespace)) {
				continue
			}
			all, judged := whole[sc.Namespace]
			var workloads []*mesh.Workload
			if !judged || len(labels) > 0 {
				workloads = p.Select(sc.Namespace, labels)
				all = allAmbient(p, workloads)
			}
			if len(labels) == 0 {
				whole[sc.Namespace] = all
			}
			if len(workloads) == 0 && len(labels) > 0 || !all {
				continue
			}
			at := sc.At("")
			if len(labels) > 0 {
				at = sc.At("spec.workloadSelector.labels")
			}
			f := p.Report(at, "the Sidecar does nothing: the workloads that it is for are in ambient mode")
			if ns := p.Get(mesh.Namespace, "", sc.Namespace); ambient(p, sc.Namespace) {
				f.Evidence(ns.At("metadata.labels[%q]", mesh.DataPlaneLabel), "puts them there")
			} else {
				f.Evidence(workloads[0].At(""), "is one of them")
			}
		}
	},
}

// ambient says whether a namespace's workloads are in ambient mode unless they
// say otherwise.
func ambient(p *analyze.Pass, namespace string) bool {
	ns := p.Get(mesh.Namespace, "", namespace)
	return ns != nil && ns.Labels[mesh.DataPlaneLabel] == "ambient" && ns.Labels[mesh.InjectionLabel] != "enabled"
}

func allAmbient(p *analyze.Pass, workloads []*mesh.Workload) bool {
	for _, w := range workloads {
		if in := p.DataPlane(w); in == mesh.InSidecar || in == mesh.Undecided {
			return false
		}
	}
	// Without any in ambient mode they are out of the mesh, which is not for here.
	for _, w := range workloads {
		if p.DataPlane(w) == mesh.InAmbient {
			return true
		}
	}
	return len(workloads) == 0
}
