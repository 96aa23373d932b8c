package schema

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// deniesNoTCP says whether a warning tells of TCP ports that a DENY policy closes,
// and the policy is for gateways that have none. It is how Istio's own guides
// demand a token at the ingress gateway.
func deniesNoTCP(p *analyze.Pass, o *mesh.Object, warning error) bool {
	if o.Kind != mesh.AuthorizationPolicy || !strings.Contains(warning.Error(), "deny all traffic to TCP ports") {
		return false
	}
	spec := mesh.As[*security.AuthorizationPolicy](o).Spec
	if refs := spec.GetTargetRefs(); len(refs) > 0 || spec.GetTargetRef() != nil {
		if len(refs) == 0 {
			refs = append(refs, spec.GetTargetRef())
		}
		for _, ref := range refs {
			gw := p.Get(mesh.KubernetesGateway, o.Namespace, ref.GetName())
			if ref.GetKind() != mesh.KubernetesGateway.Kind || gw == nil || !onlyHTTP(mesh.As[*gatewayapi.GatewaySpec](gw).Spec) {
				return false
			}
		}
		return true
	}
	found := false
	for _, gw := range p.Gateways() {
		if !within(spec.GetSelector().GetMatchLabels(), gw.Spec.GetSelector()) {
			continue
		}
		found = true
		for _, server := range gw.Spec.GetServers() {
			if !speaksHTTP(server) {
				return false
			}
		}
	}
	return found
}

// within says whether all labels, and at least one, are among others.
func within(labels, others map[string]string) bool {
	for k, v := range labels {
		if got, ok := others[k]; !ok || got != v {
			return false
		}
	}
	return len(labels) > 0
}

func speaksHTTP(server *networking.Server) bool {
	switch strings.ToUpper(server.GetPort().GetProtocol()) {
	case "HTTP", "HTTP2", "GRPC", "GRPC-WEB":
		return true
	case "HTTPS":
		mode := server.GetTls().GetMode()
		return mode != networking.ServerTLSSettings_PASSTHROUGH && mode != networking.ServerTLSSettings_AUTO_PASSTHROUGH
	}
	return false
}

func onlyHTTP(gw *gatewayapi.GatewaySpec) bool {
	for _, l := range gw.Listeners {
		if l.Protocol != gatewayapi.HTTPProtocolType && l.Protocol != gatewayapi.HTTPSProtocolType {
			return false
		}
	}
	return len(gw.Listeners) > 0
}
