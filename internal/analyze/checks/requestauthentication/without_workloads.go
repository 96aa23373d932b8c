// Package requestauthentication has the checks of RequestAuthentications.
package requestauthentication

import (
	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

type (
	spec   = *security.RequestAuthentication
	policy = *mesh.Resource[spec]
)

func labelsOf(s spec) map[string]string { return s.GetSelector().GetMatchLabels() }

// targeted says whether a policy names what it is for, instead of selecting workloads.
func targeted(s spec) bool { return len(s.GetTargetRefs()) > 0 || s.GetTargetRef() != nil }

// WithoutWorkloads finds RequestAuthentications that are for no workload.
var WithoutWorkloads = &analyze.Check{
	Code: "MSH0106", Name: "request-authentication-without-workloads", Severity: analyze.Warning, KIA: "KIA0004",
	Reads: []mesh.Kind{mesh.RequestAuthentication, mesh.Pod},
	Uses:  selector.Kinds(),
	Doc: analyze.Doc{
		What: "No workload has the labels that the selector of a RequestAuthentication asks for.",
		Why:  "No token is looked at: requests with a forged or expired one pass, and policies that ask for what tokens say match nobody.",
		Fix:  "Correct the labels, which are those of the pods, not of the Deployment or Service. A policy for workloads of another namespace belongs there, or into the root namespace.",
	},
	Run: func(p *analyze.Pass) {
		for _, ra := range p.RequestAuthentications() {
			labels := labelsOf(ra.Spec)
			if len(labels) == 0 || targeted(ra.Spec) {
				continue
			}
			namespace, where, known := ra.Namespace, "in namespace \""+ra.Namespace+`"`, p.KnowsWorkloads(ra.Namespace)
			if namespace == p.RootNamespace() {
				namespace, where, known = "", "in any namespace", p.KnownEverywhere(mesh.Pod)
			}
			switch {
			case p.Selects(namespace, labels):
			case !known:
				p.CantTell(mesh.Pod, namespace)
			default:
				f := p.Report(ra.At("spec.selector.matchLabels"), "no workload %s has the labels %s", where, selector.Text(labels))
				selector.Suggest(f, p, namespace, labels)
			}
		}
	},
}
