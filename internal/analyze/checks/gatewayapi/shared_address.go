package gatewayapi

import (
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SharedAddress finds Gateways that ask for the same IP address.
var SharedAddress = &analyze.Check{
	Code: "MSH0304", Name: "gateways-share-address", Severity: analyze.Warning, KIA: "KIA1502",
	Reads: []mesh.Kind{mesh.KubernetesGateway},
	Uses:  []mesh.Kind{mesh.GatewayClass},
	Doc: analyze.Doc{
		What: "Two Gateways ask for the same IP address, each for the load balancer of its own deployment. Several Gateways that name one Service as their address share its deployment and are fine.",
		Why:  "Most load balancers give an address to one Service only: the other Gateway's Service stays without an external address, and the Gateway is never programmed.",
		Fix:  "Ask for another address, or let one Gateway have both listeners. When the load balancer shares addresses on purpose (MetalLB can), suppress the finding.",
	},
	Run: func(p *analyze.Pass) {
		first := map[string]mesh.Location{}
		for _, gw := range p.KubernetesGateways() {
			if !isIstio(p, gw.Spec.GatewayClassName) || gw.Spec.GatewayClassName == remoteClass || len(gw.Spec.Addresses) != 1 {
				continue
			}
			a := gw.Spec.Addresses[0]
			if a.Value == "" || a.Type != nil && *a.Type != gatewayapi.IPAddressType {
				continue
			}
			at := gw.At("spec.addresses[0].value")
			other, taken := first[a.Value]
			if !taken {
				first[a.Value] = at
				continue
			}
			p.Report(at, "the address %q is also that of Gateway %q", a.Value, other.Object.Namespace+"/"+other.Object.Name).
				Evidence(other, "asks for it as well")
		}
	},
}
