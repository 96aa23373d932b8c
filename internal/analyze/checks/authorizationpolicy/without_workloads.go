// Package authorizationpolicy has the checks of AuthorizationPolicies.
package authorizationpolicy

import (
	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// WithoutWorkloads finds AuthorizationPolicies that protect nothing.
var WithoutWorkloads = &analyze.Check{
	Code: "IST0127", Name: "policy-without-workloads", Severity: analyze.Warning, KIA: "KIA0004",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Pod},
	Uses:  append(selector.Kinds(), mesh.Namespace),
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy applies to no workload of the mesh: none has the labels of its selector, or those that have them run without proxy. That a namespace as a whole is still empty is only worth knowing.",
		Why:  "The policy does nothing. What it was meant to protect is open, or decided by other policies alone.",
		Fix:  "Correct the labels, which are those of the pods, not of the Deployment or Service; or bring the workloads into the mesh.",
	},
	Run: func(p *analyze.Pass) {
		seen := enforced{}
		for _, ap := range p.AuthorizationPolicies() {
			if len(ap.Spec.GetTargetRefs()) == 0 && ap.Spec.GetTargetRef() == nil {
				seen.judge(p, ap)
			}
		}
	},
}

// enforced remembers, by namespace and selector, the first of the workloads
// that all run outside the mesh; nil when some do not.
type enforced map[string]*mesh.Workload

// judge reports a policy without targetRefs that applies to nothing.
func (seen enforced) judge(p *analyze.Pass, ap *mesh.Resource[*security.AuthorizationPolicy]) {
	labels, namespace := ap.Spec.GetSelector().GetMatchLabels(), ap.Namespace
	known := p.KnowsWorkloads(namespace)
	if namespace == p.RootNamespace() {
		namespace, known = "", p.KnownEverywhere(mesh.Pod)
	}
	where := "in any namespace"
	if namespace != "" {
		where = `in namespace "` + namespace + `"`
	}
	switch {
	case len(labels) == 0 && namespace == "":
	case len(labels) == 0 && len(p.Select(namespace, nil)) == 0 && !p.SelectsMachines(namespace, nil):
		if !known {
			p.CantTell(mesh.Pod, namespace)
			return
		}
		p.Report(ap.At(""), "namespace %q has no workloads yet that the policy could be for", namespace).As(analyze.Info).
			Suggest("correct the namespace, unless workloads are to come")
	case len(labels) > 0 && !p.Selects(namespace, labels):
		if !known {
			p.CantTell(mesh.Pod, namespace)
			return
		}
		f := p.Report(ap.At("spec.selector.matchLabels"), "no workload %s has the labels %s", where, selector.Text(labels))
		selector.Suggest(f, p, namespace, labels)
	default:
		key := namespace + "/" + selector.Text(labels)
		first, known := seen[key]
		if !known {
			if outside := p.Select(namespace, labels); len(outside) > 0 && !inMesh(p, namespace, labels, outside) {
				first = outside[0]
			}
			seen[key] = first
		}
		if first == nil {
			return
		}
		at := ap.At("")
		if len(labels) > 0 {
			at = ap.At("spec.selector.matchLabels")
		}
		p.Report(at, "nothing enforces the policy: all it applies to %s runs without proxy", where).
			Evidence(first.Object.At(""), "runs outside the mesh")
	}
}

// inMesh says whether one of the workloads, or of the pods that a cluster runs
// for them, is in the mesh, or may be.
func inMesh(p *analyze.Pass, namespace string, labels map[string]string, workloads []*mesh.Workload) bool {
	for _, w := range workloads {
		if p.DataPlane(w) != mesh.OutOfMesh {
			return true
		}
	}
	for _, pod := range p.RunningPods(namespace, labels) {
		if p.DataPlane(pod) != mesh.OutOfMesh {
			return true
		}
	}
	return p.SelectsMachines(namespace, labels)
}
