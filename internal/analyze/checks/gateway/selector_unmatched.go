// Package gateway has the checks of Istio's Gateways.
package gateway

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SelectorUnmatched finds Gateways that no gateway workload serves.
var SelectorUnmatched = &analyze.Check{
	Code: "IST0101", Name: "gateway-without-workloads", Severity: analyze.Error, KIA: "KIA0302",
	Reads: []mesh.Kind{mesh.Gateway, mesh.Pod},
	Uses:  selector.Kinds(),
	Doc: analyze.Doc{
		What: "No workload has the labels that the Gateway's selector asks for.",
		Why:  "No proxy opens the Gateway's ports: connections are refused, and VirtualServices bound to it do nothing.",
		Fix:  "Use the labels of the gateway's pods: istio: ingressgateway for istioctl's and meshctl's own, istio: <release name without istio-> for Istio's gateway chart.",
	},
	Run: func(p *analyze.Pass) {
		for _, gw := range p.Gateways() {
			labels := gw.Spec.GetSelector()
			if len(labels) == 0 || p.GatewaySelects(gw.Namespace, labels) {
				continue
			}
			if !p.KnownEverywhere(mesh.Pod) {
				p.CantTell(mesh.Pod, "")
				continue
			}
			f := p.Report(gw.At("spec.selector"), "no workload has the labels %s", selector.Text(labels))
			selector.Suggest(f, p, "", labels)
		}
	},
}
