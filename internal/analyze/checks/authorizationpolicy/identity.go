package authorizationpolicy

import (
	networking "istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// IdentityWithoutTLS finds policies that ask who calls where nobody can know.
var IdentityWithoutTLS = &analyze.Check{
	Code: "MSH0112", Name: "identity-without-mutual-tls", Severity: analyze.Error, KIA: "KIA0105",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.PeerAuthentication, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace, mesh.Service, mesh.DestinationRule),
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy asks for principals, namespaces or service accounts of callers, but its workloads never get mutual TLS: a PeerAuthentication has it disabled, or clients do not use it because automatic mutual TLS is switched off and no DestinationRule asks for it.",
		Why:  "Without a certificate no caller has an identity, and the rule matches nobody: an ALLOW policy refuses everybody, a DENY policy lets everybody in.",
		Fix:  "Make the PeerAuthentication STRICT, or PERMISSIVE; without automatic mutual TLS add a DestinationRule with tls.mode ISTIO_MUTUAL.",
	},
	Run: func(p *analyze.Pass) {
		services := mesh.IndexSelectors(p.Services(), func(s *core.ServiceSpec) map[string]string { return s.Selector })
		known := map[string]plainness{} // by namespace and selector: policies for all workloads are many
		for _, ap := range p.AuthorizationPolicies() {
			named := identity(ap)
			if len(named) == 0 || targeted(ap.Spec) {
				continue
			}
			key := ap.Namespace + "/" + selector.Text(ap.Spec.GetSelector().GetMatchLabels())
			plain, ok := known[key]
			if !ok {
				plain = withoutTLS(p, ap, services)
				known[key] = plain
			}
			plain.report(p, named[0])
		}
	},
}

// identity are the texts of a policy that say who may, or may not, call.
func identity(ap policy) []value {
	all := principals(ap)
	for _, list := range [][]value{
		sources(ap, "namespaces", "source.namespace", func(s *security.Source) (yes, no []string) { return s.GetNamespaces(), s.GetNotNamespaces() }),
		sources(ap, "serviceAccounts", "source.serviceAccount", func(s *security.Source) (yes, no []string) { return s.GetServiceAccounts(), s.GetNotServiceAccounts() }),
		trustDomains(ap),
	} {
		all = append(all, list...)
	}
	var positive []value
	for _, v := range all {
		if !v.negative {
			positive = append(positive, v)
		}
	}
	return positive
}

// plainness is why no workload of a policy ever gets mutual TLS; what is empty
// when some may.
type plainness struct {
	what    string
	because mesh.Location // the PeerAuthentication's mode, if that is why
}

// withoutTLS is why none of a policy's workloads ever gets mutual TLS. One that
// may get it is enough to leave the policy alone.
func withoutTLS(p *analyze.Pass, ap policy, services *mesh.Selectors[*core.ServiceSpec]) plainness {
	var plain plainness
	for _, w := range enforcers(p, ap) {
		if w.IsGateway() || p.DataPlane(w) != mesh.InSidecar {
			return plainness{}
		}
		if at, disabled := disabledFor(p, w); disabled {
			plain = plainness{"the PeerAuthentication disables mutual TLS", at}
			continue
		}
		if !neverUsed(p, w, services) {
			return plainness{}
		}
		plain.what = "enableAutoMtls is false and no DestinationRule makes clients use mutual TLS"
	}
	return plain
}

func (plain plainness) report(p *analyze.Pass, named value) {
	if plain.what == "" {
		return
	}
	f := p.Report(named.at, "no caller has an identity: %s", plain.what)
	if because := plain.because; because.Object != nil {
		f.Evidence(because, "is DISABLE").Suggest("change the mode of %s to PERMISSIVE or STRICT", because.Object.Ref)
	} else {
		f.Suggest("add a DestinationRule with tls.mode ISTIO_MUTUAL, or remove enableAutoMtls: false")
	}
}

// disabledFor says whether a workload takes no mutual TLS on any port.
func disabledFor(p *analyze.Pass, w *mesh.Workload) (mesh.Location, bool) {
	policies := p.PeerPolicies(w)
	mode, from, scope := policies.Mode(0)
	if policies.Ambiguous || mode != mesh.PeerDisable {
		return from, false
	}
	if policies.Workload != nil && len(policies.Workload.Spec.GetPortLevelMtls()) > 0 {
		return from, false
	}
	if scope == mesh.MeshScope && !p.KnownIn(mesh.PeerAuthentication, w.Object.Namespace) {
		p.CantTell(mesh.PeerAuthentication, w.Object.Namespace)
		return from, false
	}
	return from, true
}

// neverUsed says whether no client uses mutual TLS for any Service of a workload.
func neverUsed(p *analyze.Pass, w *mesh.Workload, services *mesh.Selectors[*core.ServiceSpec]) bool {
	auto := p.MeshConfig().GetEnableAutoMtls()
	found := services.Selecting(w.Object.Namespace, w.PodLabels)
	if auto == nil || auto.GetValue() || len(found) == 0 {
		return false
	}
	for _, svc := range found {
		for _, dr := range p.RulesFor(svc.Name + "." + svc.Namespace + ".svc." + p.ClusterDomain()) {
			if usesTLS(dr.Spec) {
				return false
			}
		}
	}
	if !p.KnownEverywhere(mesh.DestinationRule) {
		p.CantTell(mesh.DestinationRule, "")
		return false
	}
	return true
}

// usesTLS says whether a rule sets TLS anywhere.
func usesTLS(dr *networking.DestinationRule) bool {
	policies := []*networking.TrafficPolicy{dr.GetTrafficPolicy()}
	for _, subset := range dr.GetSubsets() {
		policies = append(policies, subset.GetTrafficPolicy())
	}
	for _, policy := range policies {
		if tls := policy.GetTls(); tls != nil && tls.GetMode() != networking.ClientTLSSettings_DISABLE {
			return true
		}
		for _, port := range policy.GetPortLevelSettings() {
			if tls := port.GetTls(); tls != nil && tls.GetMode() != networking.ClientTLSSettings_DISABLE {
				return true
			}
		}
	}
	return false
}
