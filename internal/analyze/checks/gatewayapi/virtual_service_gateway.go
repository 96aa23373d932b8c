package gatewayapi

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// VirtualServiceGateway finds VirtualServices that name a Gateway of the Gateway API.
var VirtualServiceGateway = &analyze.Check{
	Code: "MSH0312", Name: "virtual-service-on-gateway-api", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.VirtualService, mesh.KubernetesGateway},
	Uses:  []mesh.Kind{mesh.Gateway},
	Doc: analyze.Doc{
		What: "A VirtualService names a Gateway of the Gateway API in its gateways. The object exists, but istiod looks the name up among Istio's own Gateways.",
		Why:  "istiod makes one internal Gateway of each listener, under a longer name, and binds VirtualServices by exact name. So the routes do not reach the gateway: requests are answered with 404 unless an HTTPRoute serves them as well.",
		Fix:  "Attach an HTTPRoute to the Gateway instead, or use an Istio Gateway that selects the same pods.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			for _, g := range mesh.GatewayNames(vs.Spec, vs.Namespace) {
				gw := p.Get(mesh.KubernetesGateway, g.Namespace, g.Name)
				if gw == nil || p.Get(mesh.Gateway, g.Namespace, g.Name) != nil {
					continue
				}
				p.Report(vs.At("%s", g.Path), "%q is a Gateway of the Gateway API, to which istiod binds routes of the Gateway API only", gw.Namespace+"/"+gw.Name).
					Suggest("write an HTTPRoute with this Gateway as parent").
					Evidence(gw.At(""), "is the Gateway")
			}
		}
	},
}
