package mtls

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// what both checks of plaintext to STRICT say.
const (
	strictWhy = "Clients that obey the DestinationRule connect without Istio's mutual TLS and the server's proxy resets the connection: requests fail with 503 (response flags UF or UC, \"connection reset\")."
	strictFix = "Remove tls from the DestinationRule: proxies then use mutual TLS on their own where the server speaks it. Or make the PeerAuthentication PERMISSIVE for the port."
)

// PlaintextToStrict finds rules that switch off mutual TLS where the server insists on it.
var PlaintextToStrict = &analyze.Check{
	Code: "MSH0120", Name: "plaintext-to-strict-workloads", Severity: analyze.Error, KIA: "KIA0207",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.PeerAuthentication, mesh.Service, mesh.Pod},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "A DestinationRule opens connections without Istio's mutual TLS to a workload that takes nothing else, because of a PeerAuthentication of its namespace or for itself.",
		Why:  strictWhy,
		Fix:  strictFix,
	},
	Run: func(p *analyze.Pass) {
		plaintext(p, func(scope mesh.PeerScope) bool { return scope == mesh.NamespaceScope || scope == mesh.WorkloadScope })
	},
}

// PlaintextToStrictMesh is [PlaintextToStrict] where the whole mesh insists.
var PlaintextToStrictMesh = &analyze.Check{
	Code: "MSH0121", Name: "plaintext-to-strict-mesh", Severity: analyze.Error, KIA: "KIA0208",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.PeerAuthentication, mesh.Service, mesh.Pod},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "A DestinationRule opens connections without Istio's mutual TLS to a workload that takes nothing else, because the PeerAuthentication of the whole mesh is STRICT.",
		Why:  strictWhy,
		Fix:  strictFix,
	},
	Run: func(p *analyze.Pass) {
		plaintext(p, func(scope mesh.PeerScope) bool { return scope == mesh.MeshScope })
	},
}

// plaintext reports each TLS mode once that is refused because of a policy of a scope.
func plaintext(p *analyze.Pass, scope func(mesh.PeerScope) bool) {
	reported := map[mesh.Location]bool{}
	contacts(p, func(c contact) {
		without := c.client == networking.ClientTLSSettings_DISABLE || c.client == networking.ClientTLSSettings_SIMPLE
		if !without || c.server != mesh.PeerStrict || !scope(c.scope) || reported[c.from] {
			return
		}
		reported[c.from] = true
		p.Report(c.from, "clients connect to %q without mutual TLS, but %s takes nothing else on port %d", c.host, name(c.workload), c.port).
			Evidence(c.policy, "is STRICT").
			Suggest("remove tls, or make the PeerAuthentication PERMISSIVE for %s", name(c.workload))
	})
}

func name(w *mesh.Workload) string {
	return strings.ToLower(w.Object.Kind.Kind) + ` "` + w.Object.Name + `"`
}
