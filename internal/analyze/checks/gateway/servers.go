package gateway

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	"istio.io/istio/pkg/config/protocol"

	"github.com/meshctl/meshctl/internal/analyze"
)

// spot is what only one server of a workload's Gateways can have.
type spot struct {
	port       uint32
	bind, host string
}

// spotsOf are the spots that a server claims, by its hosts. The namespace in
// front of a host says whose VirtualServices may use it, not who may have it.
func spotsOf(server *networking.Server) []spot {
	var spots []spot
	for _, host := range server.GetHosts() {
		if _, name, found := strings.Cut(host, "/"); found {
			host = name
		}
		spots = append(spots, spot{server.GetPort().GetNumber(), server.GetBind(), strings.ToLower(host)})
	}
	return spots
}

// allClaims are the claims on every spot, by the group of the Gateway.
func allClaims(p *analyze.Pass, of groupOf) map[spot]map[*group]*claims {
	bySpot := map[spot]map[*group]*claims{}
	for _, gw := range p.Gateways() {
		g := of[gw.Object]
		for i, server := range gw.Spec.GetServers() {
			for j, s := range spotsOf(server) {
				if bySpot[s] == nil {
					bySpot[s] = map[*group]*claims{}
				}
				if bySpot[s][g] == nil {
					bySpot[s][g] = &claims{}
				}
				bySpot[s][g].add(claim{gw.Object, server, gw.At("spec.servers[%d].hosts[%d]", i, j)})
			}
		}
	}
	return bySpot
}

// isPlain says whether a server takes plain HTTP: istiod serves all such
// servers of a port together.
func isPlain(server *networking.Server) bool {
	return protocol.Parse(server.GetPort().GetProtocol()).IsHTTP()
}

// redirects says whether a server answers plain HTTP with a redirect to HTTPS.
func redirects(server *networking.Server) bool { return server.GetTls().GetHttpsRedirect() }
