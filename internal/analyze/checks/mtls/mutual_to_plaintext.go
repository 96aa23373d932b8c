package mtls

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// what both checks of mutual TLS to DISABLE say.
const (
	disabledWhy = "The server's proxy does not end TLS on that port and hands the encrypted bytes to the application, which cannot read them: requests fail with 503 or with protocol errors."
	disabledFix = "Remove tls from the DestinationRule: proxies then use mutual TLS only where the server speaks it. Or make the PeerAuthentication PERMISSIVE."
)

// MutualToPlaintext finds policies that switch off mutual TLS where clients are told to use it.
var MutualToPlaintext = &analyze.Check{
	Code: "MSH0122", Name: "mutual-tls-to-disabled-workloads", Severity: analyze.Error, KIA: "KIA0505",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.PeerAuthentication, mesh.Service, mesh.Pod},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "A PeerAuthentication of a namespace or a workload has the mode DISABLE, and a DestinationRule makes clients use Istio's mutual TLS with it.",
		Why:  disabledWhy,
		Fix:  disabledFix,
	},
	Run: func(p *analyze.Pass) {
		mutual(p, func(scope mesh.PeerScope) bool { return scope == mesh.NamespaceScope || scope == mesh.WorkloadScope })
	},
}

// MutualToPlaintextMesh is [MutualToPlaintext] where the whole mesh has it switched off.
var MutualToPlaintextMesh = &analyze.Check{
	Code: "MSH0123", Name: "mutual-tls-to-disabled-mesh", Severity: analyze.Error, KIA: "KIA0506",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.PeerAuthentication, mesh.Service, mesh.Pod},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "The PeerAuthentication of the whole mesh has the mode DISABLE, and a DestinationRule makes clients use Istio's mutual TLS.",
		Why:  disabledWhy,
		Fix:  disabledFix,
	},
	Run: func(p *analyze.Pass) {
		mutual(p, func(scope mesh.PeerScope) bool { return scope == mesh.MeshScope })
	},
}

// mutual reports each mode of a policy once, with up to three rules that do not fit it.
func mutual(p *analyze.Pass, scope func(mesh.PeerScope) bool) {
	found := map[mesh.Location]*analyze.Finding{}
	evident := map[mesh.Location]map[mesh.Location]bool{}
	contacts(p, func(c contact) {
		if c.client != networking.ClientTLSSettings_ISTIO_MUTUAL || c.server != mesh.PeerDisable || !scope(c.scope) {
			return
		}
		f := found[c.policy]
		if f == nil {
			f = p.Report(c.policy, "%s takes no TLS, but clients open mutual TLS to port %d of %q", name(c.workload), c.port, c.host).
				Suggest("change it to PERMISSIVE, or remove tls from %s", c.rule.Ref)
			found[c.policy], evident[c.policy] = f, map[mesh.Location]bool{}
		}
		if seen := evident[c.policy]; !seen[c.from] && len(seen) < 3 {
			seen[c.from] = true
			f.Evidence(c.from, "is ISTIO_MUTUAL")
		}
	})
}
