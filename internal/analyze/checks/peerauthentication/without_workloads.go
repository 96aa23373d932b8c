package peerauthentication

import (
	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

type spec = *security.PeerAuthentication

// WithoutWorkloads finds PeerAuthentications that are for no workload.
var WithoutWorkloads = &analyze.Check{
	Code: "MSH0103", Name: "peer-authentication-without-workloads", Severity: analyze.Warning, KIA: "KIA0004",
	Reads: []mesh.Kind{mesh.PeerAuthentication, mesh.Pod},
	Uses:  selector.Kinds(),
	Doc: analyze.Doc{
		What: "No workload of the PeerAuthentication's namespace has the labels that its selector asks for.",
		Why:  "The policy does nothing: the workloads that were meant keep the mode of their namespace or of the mesh, which may take plaintext, or refuse it.",
		Fix:  "Correct the labels, which are those of the pods, not of the Deployment or Service; or remove the policy.",
	},
	Run: func(p *analyze.Pass) {
		for _, pa := range p.PeerAuthentications() {
			labels := labelsOf(pa.Spec)
			if len(labels) == 0 || pa.Namespace == p.RootNamespace() || p.Selects(pa.Namespace, labels) {
				continue
			}
			if !p.KnowsWorkloads(pa.Namespace) {
				p.CantTell(mesh.Pod, pa.Namespace)
				continue
			}
			f := p.Report(pa.At("spec.selector.matchLabels"), "no workload in namespace %q has the labels %s", pa.Namespace, selector.Text(labels))
			selector.Suggest(f, p, pa.Namespace, labels)
		}
	},
}

// SelectorInRoot finds PeerAuthentications that istiod takes no notice of.
var SelectorInRoot = &analyze.Check{
	Code: "MSH0104", Name: "peer-authentication-selector-in-root", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.PeerAuthentication},
	Doc: analyze.Doc{
		What: "A PeerAuthentication in the mesh's root namespace has a selector.",
		Why:  "istiod ignores it everywhere: neither workloads of other namespaces nor those of the root namespace get its mode. Policies of the root namespace are for the whole mesh only.",
		Fix:  "Move it into the namespace of the workloads, or remove the selector if the whole mesh is meant.",
	},
	Run: func(p *analyze.Pass) {
		for _, pa := range p.PeerAuthentications() {
			if labels := labelsOf(pa.Spec); len(labels) > 0 && pa.Namespace == p.RootNamespace() {
				p.Report(pa.AtKey("spec.selector"), "is ignored: a PeerAuthentication of the root namespace %q must not have a selector", pa.Namespace).
					Suggest("move it into the namespace of the workloads with %s", selector.Text(labels))
			}
		}
	},
}
