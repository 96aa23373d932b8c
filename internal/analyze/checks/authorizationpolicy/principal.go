package authorizationpolicy

import (
	"slices"
	"strings"

	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MalformedPrincipal finds principals in a form that no identity has.
var MalformedPrincipal = &analyze.Check{
	Code: "MSH0116", Name: "malformed-principal", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.AuthorizationPolicy},
	Doc: analyze.Doc{
		What: "A principal of an AuthorizationPolicy is not written as <trust domain>/ns/<namespace>/sa/<service account>, but as one of the forms that Kubernetes or SPIFFE use elsewhere.",
		Why:  "Istio puts spiffe:// in front of the text and compares it with the caller's certificate, which never is the same: an ALLOW policy refuses the callers that were meant, a DENY policy lets them in.",
		Fix:  "Write cluster.local/ns/<namespace>/sa/<service account>. cluster.local stands for the mesh's trust domain, whatever that is.",
	},
	Run: func(p *analyze.Pass) {
		for _, ap := range p.AuthorizationPolicies() {
			for _, v := range principals(ap) {
				if better, why := wellFormed(v.text, ap.Namespace); why != "" {
					f := p.Report(v.at, "no caller has the principal %q: %s", v.text, why)
					if better != "" {
						f.Suggest("change it to %q", better)
					}
				}
			}
		}
	},
}

// wellFormed is what a principal should be and why it is not; both are empty
// when it may be right.
func wellFormed(text, namespace string) (better, why string) {
	parts := strings.Split(text, "/")
	switch rest, spiffe := strings.CutPrefix(text, "spiffe://"); {
	case spiffe:
		return rest, "spiffe:// does not belong in front of it"
	case strings.HasPrefix(text, "system:serviceaccount:"):
		if of := strings.Split(text, ":"); len(of) == 4 {
			return "cluster.local/ns/" + of[2] + "/sa/" + of[3], "this is Kubernetes' name of a service account"
		}
		return "", "this is Kubernetes' name of a service account"
	case strings.Contains(text, "*"), text == "":
		return "", ""
	case len(parts) == 1:
		return "cluster.local/ns/" + namespace + "/sa/" + text, "it is <trust domain>/ns/<namespace>/sa/<service account>"
	case len(parts) == 4 && parts[0] == "ns" && parts[2] == "sa":
		return "cluster.local/" + text, "the trust domain is missing"
	case len(parts) == 5 && parts[1] == "ns" && slices.Contains([]string{"serviceaccount", "serviceaccounts", "service-account", "SA"}, parts[3]):
		parts[3] = "sa"
		return strings.Join(parts, "/"), "the fourth part is \"sa\""
	}
	return "", ""
}

func malformed(v value) bool {
	_, why := wellFormed(v.text, "")
	return why != ""
}

// MissingPrincipalNamespace finds service accounts of namespaces that do not exist.
var MissingPrincipalNamespace = &analyze.Check{
	Code: "MSH0117", Name: "principal-missing-namespace", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Namespace},
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy names a service account of a namespace that does not exist.",
		Why:  "The rule matches nobody: an ALLOW policy refuses the callers that were meant, a DENY policy lets them in.",
		Fix:  "Correct the namespace, the third part of <trust domain>/ns/<namespace>/sa/<service account>. One that exists only in another cluster of the mesh is fine.",
	},
	Run: func(p *analyze.Pass) {
		var names []string
		for _, ns := range p.Namespaces() {
			names = append(names, ns.Name)
		}
		for _, ap := range p.AuthorizationPolicies() {
			for _, a := range accounts(p, ap) {
				if p.HasNamespace(a.namespace, mesh.AuthorizationPolicy) {
					continue
				}
				if !p.KnownEverywhere(mesh.Namespace) {
					p.CantTell(mesh.Namespace, "")
					continue
				}
				f := p.Report(a.at, "there is no namespace %q for the service account %q", a.namespace, a.name)
				p.Advise(func() {
					if best := hint.Closest(a.namespace, names); best != "" {
						f.Suggest("change it to %q", strings.Replace(a.text, a.namespace+"/", best+"/", 1))
					}
				})
			}
		}
	},
}

// UnknownTrustDomain finds principals of a trust domain that is not this mesh's.
var UnknownTrustDomain = &analyze.Check{
	Code: "MSH0115", Name: "unknown-trust-domain", Severity: analyze.Warning, KIA: "KIA0108",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy},
	Doc: analyze.Doc{
		What: "A principal of an AuthorizationPolicy has a trust domain that is neither the mesh's nor one of its trustDomainAliases.",
		Why:  "No workload of this mesh has such an identity, and the rule matches at most callers of a mesh that shares the root certificate: an ALLOW policy refuses the callers that were meant, a DENY policy lets them in.",
		Fix:  "Write cluster.local, which istiod replaces by the mesh's trust domain and its aliases; or add the domain to trustDomainAliases in the mesh config if workloads still have it.",
	},
	Run: func(p *analyze.Pass) {
		config := p.MeshConfig()
		known := append([]string{"cluster.local", p.TrustDomain()}, config.GetTrustDomainAliases()...)
		for _, ca := range config.GetCaCertificates() {
			known = append(known, ca.GetTrustDomains()...)
		}
		for _, ap := range p.AuthorizationPolicies() {
			for _, v := range slices.Concat(trustDomains(ap), slices.DeleteFunc(principals(ap), malformed)) {
				domain, _, _ := strings.Cut(v.text, "/")
				if strings.Contains(domain, "*") || domain == "" || covered(domain, known) {
					continue
				}
				if config.Object == nil {
					p.CantTell(mesh.ConfigMap, p.IstioNamespace())
					continue
				}
				f := p.Report(v.at, "%q is not a trust domain of this mesh, which has %q", domain, p.TrustDomain()).
					Evidence(config.Object.At("data.mesh"), "has the mesh's trust domain and its aliases")
				switch best := hint.Closest(domain, known); {
				case best != "":
					f.Suggest("change it to %q", best)
				default:
					// Another mesh may share the root certificate.
					f.As(analyze.Info).Suggest("change it to \"cluster.local\", or add it to trustDomainAliases in the mesh config")
				}
			}
		}
	},
}

// covered says whether a domain is among others, which may have wildcards in front.
func covered(domain string, known []string) bool {
	return slices.ContainsFunc(known, func(k string) bool { return mesh.HostMatches(k, domain) })
}

func trustDomains(ap policy) []value {
	return sources(ap, "trustDomains", "source.trustDomain", func(s *security.Source) (yes, no []string) {
		return s.GetTrustDomains(), s.GetNotTrustDomains()
	})
}
