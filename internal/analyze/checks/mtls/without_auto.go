package mtls

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// automatic says whether clients find out by themselves where to use mutual
// TLS, which is istiod's default. Then a missing rule or policy is no defect.
func automatic(p *analyze.Pass) bool {
	set := p.MeshConfig().GetEnableAutoMtls()
	return set == nil || set.GetValue()
}

// what both checks of STRICT without rule say.
const (
	noRuleWhy = "With enableAutoMtls: false clients use mutual TLS only where a DestinationRule says so. They connect in plaintext and the server's proxy resets the connection: requests fail with 503."
	noRuleFix = "Add a DestinationRule with tls.mode ISTIO_MUTUAL for the hosts, such as *.local in the root namespace, or remove enableAutoMtls: false from the mesh config."
)

// StrictWithoutRule finds STRICT policies of namespaces and workloads that no client can meet.
var StrictWithoutRule = &analyze.Check{
	Code: "MSH0124", Name: "strict-workloads-without-rule", Severity: analyze.Error, KIA: "KIA0501",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.PeerAuthentication, mesh.Service, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace),
	Doc: analyze.Doc{
		What: "A PeerAuthentication of a namespace or workload is STRICT, automatic mutual TLS is switched off, and no DestinationRule makes clients use it.",
		Why:  noRuleWhy,
		Fix:  noRuleFix,
	},
	Run: func(p *analyze.Pass) {
		withoutRule(p, func(scope mesh.PeerScope) bool { return scope == mesh.NamespaceScope || scope == mesh.WorkloadScope })
	},
}

// StrictMeshWithoutRule is [StrictWithoutRule] for the whole mesh.
var StrictMeshWithoutRule = &analyze.Check{
	Code: "MSH0125", Name: "strict-mesh-without-rule", Severity: analyze.Error, KIA: "KIA0401",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.PeerAuthentication, mesh.Service, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace),
	Doc: analyze.Doc{
		What: "The PeerAuthentication of the whole mesh is STRICT, automatic mutual TLS is switched off, and no DestinationRule makes clients use it for some Service.",
		Why:  noRuleWhy,
		Fix:  noRuleFix,
	},
	Run: func(p *analyze.Pass) {
		withoutRule(p, func(scope mesh.PeerScope) bool { return scope == mesh.MeshScope })
	},
}

// withoutRule reports each STRICT policy of a scope once, with the first
// Service that clients cannot reach.
func withoutRule(p *analyze.Pass, scope func(mesh.PeerScope) bool) {
	if automatic(p) {
		return
	}
	reported := map[mesh.Location]bool{}
	for _, svc := range p.Services() {
		if len(svc.Spec.Selector) == 0 || svc.Spec.Type == core.ServiceTypeExternalName {
			continue
		}
		host := svc.Name + "." + svc.Namespace + ".svc." + p.ClusterDomain()
		for _, port := range svc.Spec.Ports {
			if port.Protocol == core.ProtocolUDP || secured(p.RulesFor(host), uint32(port.Port)) {
				continue
			}
			for _, w := range serversOf(p, svc) {
				c := contact{workload: w}
				if !c.judgeable(p, w.TargetPort(port)) || c.server != mesh.PeerStrict || !scope(c.scope) || reported[c.policy] {
					continue
				}
				if !p.KnownEverywhere(mesh.DestinationRule) {
					p.CantTell(mesh.DestinationRule, "")
					return
				}
				reported[c.policy] = true
				p.Report(c.policy, "no DestinationRule makes clients of %q use mutual TLS, and enableAutoMtls is false", host).
					Evidence(svc.At("spec.ports"), "leads to %s", name(w)).
					Suggest("add a DestinationRule for %q with tls.mode ISTIO_MUTUAL", host)
			}
		}
	}
}

// secured says whether some rule makes clients use TLS for a port.
func secured(rules []rule, port uint32) bool {
	for _, r := range rules {
		if mode, _, ok := modeFor(r, port); ok && mode != networking.ClientTLSSettings_DISABLE {
			return true
		}
		for _, subset := range r.Spec.GetSubsets() {
			if setsTLS(subset.GetTrafficPolicy()) {
				return true
			}
		}
	}
	return false
}

// what both checks of mutual TLS without policy say.
const (
	noPolicyWhy = "Clients use mutual TLS, but the servers take plaintext as well: whoever is not in the mesh, or leaves out TLS, is let in."
	noPolicyFix = "Add a PeerAuthentication with the mode STRICT, or PERMISSIVE if plaintext is wanted."
)

// MutualWithoutPolicy finds namespaces whose clients use mutual TLS that no server asks for.
var MutualWithoutPolicy = &analyze.Check{
	Code: "MSH0126", Name: "mutual-tls-without-namespace-policy", Severity: analyze.Info, KIA: "KIA0206",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.PeerAuthentication},
	Doc: analyze.Doc{
		What: "A DestinationRule for all hosts of a namespace uses ISTIO_MUTUAL, automatic mutual TLS is switched off, and neither the namespace nor the mesh has a PeerAuthentication.",
		Why:  noPolicyWhy,
		Fix:  noPolicyFix,
	},
	Run: func(p *analyze.Pass) {
		withoutPolicy(p, func(host string) (string, bool) {
			name, found := strings.CutPrefix(host, "*.")
			namespace, domain, _ := strings.Cut(name, ".")
			return namespace, found && domain == "svc."+p.ClusterDomain()
		})
	},
}

// MutualWithoutMeshPolicy is [MutualWithoutPolicy] for the whole mesh.
var MutualWithoutMeshPolicy = &analyze.Check{
	Code: "MSH0127", Name: "mutual-tls-without-mesh-policy", Severity: analyze.Info, KIA: "KIA0205",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.PeerAuthentication},
	Doc: analyze.Doc{
		What: "A DestinationRule for all hosts of the mesh uses ISTIO_MUTUAL, automatic mutual TLS is switched off, and the mesh has no PeerAuthentication.",
		Why:  noPolicyWhy,
		Fix:  noPolicyFix,
	},
	Run: func(p *analyze.Pass) {
		withoutPolicy(p, func(host string) (string, bool) {
			return p.RootNamespace(), host != "" && strings.HasPrefix(host, "*") && mesh.HostMatches(host, "any.any.svc."+p.ClusterDomain())
		})
	},
}

// withoutPolicy reports the rules whose host is all of a namespace, or of the
// mesh, which covered says, if that has no PeerAuthentication.
func withoutPolicy(p *analyze.Pass, covered func(host string) (namespace string, ok bool)) {
	if automatic(p) {
		return
	}
	index := mesh.IndexSelectors(p.PeerAuthentications(), func(*security.PeerAuthentication) map[string]string { return nil })
	for _, r := range p.DestinationRules() {
		namespace, ok := covered(p.FQDN(r.Spec.GetHost(), r.Namespace))
		if !ok || r.Spec.GetTrafficPolicy().GetTls().GetMode() != networking.ClientTLSSettings_ISTIO_MUTUAL ||
			len(index.Defaults(namespace)) > 0 || len(index.Defaults(p.RootNamespace())) > 0 {
			continue
		}
		unknown := ""
		for _, ns := range []string{namespace, p.RootNamespace()} {
			if !p.KnownIn(mesh.PeerAuthentication, ns) {
				unknown = ns
			}
		}
		if unknown != "" {
			p.CantTell(mesh.PeerAuthentication, unknown)
			continue
		}
		p.Report(r.At("spec.trafficPolicy.tls.mode"), "clients of %q use mutual TLS, but no PeerAuthentication makes servers ask for it", r.Spec.GetHost()).
			Suggest("add a PeerAuthentication with the mode STRICT to namespace %q", namespace)
	}
}
