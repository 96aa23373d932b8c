package sidecar

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// RootDefault finds Sidecars that want to be the mesh's default and are not.
var RootDefault = &analyze.Check{
	Code: "MSH0521", Name: "root-default-with-selector", Severity: analyze.Warning, KIA: "KIA1006",
	Reads: []mesh.Kind{mesh.Sidecar, mesh.Pod},
	Uses:  mesh.SelectableKinds()[1:],
	Doc: analyze.Doc{
		What: "The Sidecar named default in the mesh's root namespace has a workloadSelector.",
		Why:  "With a selector it applies to workloads of the root namespace only. All other namespaces have no default, and every proxy there gets the configuration of the whole mesh.",
		Fix:  "Remove the workloadSelector, or give the Sidecar another name if workloads of the root namespace are meant.",
	},
	Run: func(p *analyze.Pass) {
		for _, sc := range mesh.InNamespace(p.Sidecars(), p.RootNamespace()) {
			labels := sc.Spec.GetWorkloadSelector().GetLabels()
			if sc.Name != "default" || len(labels) == 0 {
				continue
			}
			if p.KnowsWorkloads(sc.Namespace) && !p.Selects(sc.Namespace, labels) {
				continue // sidecar-without-workloads says so
			}
			p.Report(sc.AtKey("spec.workloadSelector"), "is not the mesh's default: with a workloadSelector it is for workloads of namespace %q only", sc.Namespace).
				Suggest("remove the workloadSelector, or rename the Sidecar")
		}
	},
}

// PolicyWithoutMode finds outboundTrafficPolicies that are stricter than they look.
var PolicyWithoutMode = &analyze.Check{
	Code: "MSH0522", Name: "outbound-policy-without-mode", Severity: analyze.Info, KIA: "KIA1007",
	Reads: []mesh.Kind{mesh.Sidecar},
	Doc: analyze.Doc{
		What: "The outboundTrafficPolicy of a Sidecar has no mode.",
		Why:  "Without mode it is REGISTRY_ONLY, whatever the mesh's own policy is: requests to hosts that are not in the registry fail.",
		Fix:  "Write the mode that is meant, REGISTRY_ONLY or ALLOW_ANY; or remove outboundTrafficPolicy, and the mesh's counts.",
	},
	Run: func(p *analyze.Pass) {
		for _, sc := range p.Sidecars() {
			if sc.Spec.GetOutboundTrafficPolicy() != nil && sc.Field("spec", "outboundTrafficPolicy", "mode") == nil &&
				sc.Spec.GetOutboundTrafficPolicy().GetMode() == networking.OutboundTrafficPolicy_REGISTRY_ONLY {
				p.Report(sc.AtKey("spec.outboundTrafficPolicy"), "without mode it means REGISTRY_ONLY: hosts that are not in the registry are refused").
					Suggest("add mode: REGISTRY_ONLY, or mode: ALLOW_ANY")
			}
		}
	},
}
