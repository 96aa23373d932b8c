package sidecar

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// DeprecatedEgressProxy finds Sidecars that send unknown traffic to a proxy.
var DeprecatedEgressProxy = &analyze.Check{
	Code: "IST0002", Name: "deprecated-egress-proxy", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Sidecar},
	Doc: analyze.Doc{
		What: "A Sidecar sends traffic to unknown destinations to outboundTrafficPolicy.egressProxy, a field that Istio has deprecated.",
		Why:  "A coming version of Istio may ignore the field. The traffic then leaves the mesh directly, past the egress proxy and what it records or forbids.",
		Fix:  "Lead the traffic through an egress gateway: a ServiceEntry for the destination and a VirtualService to the gateway, and outboundTrafficPolicy.mode REGISTRY_ONLY for the rest.",
	},
	Run: func(p *analyze.Pass) {
		for _, s := range p.Sidecars() {
			if s.Spec.GetOutboundTrafficPolicy().GetEgressProxy() != nil {
				p.Report(s.AtKey("spec.outboundTrafficPolicy.egressProxy"), "outboundTrafficPolicy.egressProxy is deprecated").
					Suggest("route the traffic to an egress gateway with a ServiceEntry and a VirtualService")
			}
		}
	},
}
