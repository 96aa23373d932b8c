package gatewayapi

import (
	"slices"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownClass finds Gateways that no controller serves.
var UnknownClass = &analyze.Check{
	Code: "MSH0306", Name: "unknown-gateway-class", Severity: analyze.Error, KIA: "KIA1504",
	Reads: []mesh.Kind{mesh.KubernetesGateway, mesh.GatewayClass},
	Doc: analyze.Doc{
		What: "A Gateway's gatewayClassName is no GatewayClass of the cluster, nor one of those that Istio brings: istio, istio-remote, istio-waypoint and istio-east-west.",
		Why:  "No controller takes the Gateway: it gets neither deployment nor address nor status, and nothing listens.",
		Fix:  "Correct the name, or create the GatewayClass.",
	},
	Run: func(p *analyze.Pass) {
		classes := builtinClasses()
		for _, c := range p.GatewayClasses() {
			classes = append(classes, c.Name)
		}
		slices.Sort(classes)
		for _, gw := range p.KubernetesGateways() {
			class := string(gw.Spec.GatewayClassName)
			if _, found := slices.BinarySearch(classes, class); found || class == "" {
				continue
			}
			if !p.KnownEverywhere(mesh.GatewayClass) {
				p.CantTell(mesh.GatewayClass, "")
				continue
			}
			f := p.Report(gw.At("spec.gatewayClassName"), "there is no GatewayClass %q", class)
			p.Advise(func() {
				if best := hint.Closest(class, classes); best != "" {
					f.Suggest("change it to %q", best)
				}
			})
		}
	},
}
