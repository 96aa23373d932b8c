package authorizationpolicy

import (
	"fmt"
	"slices"
	"strings"

	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

type (
	spec   = *security.AuthorizationPolicy
	policy = *mesh.Resource[spec]
)

func labelsOf(s spec) map[string]string { return s.GetSelector().GetMatchLabels() }

// targeted says whether a policy names what it is for, instead of selecting workloads.
func targeted(s spec) bool { return len(s.GetTargetRefs()) > 0 || s.GetTargetRef() != nil }

// value is one text of a policy's rule.
type value struct {
	policy policy
	at     mesh.Location
	text   string
	// negative is true for notPrincipals and the like.
	negative bool
}

// operations are the values of a list of the rules' operations, such as hosts.
func operations(p *analyze.Pass, name string, list func(*security.Operation) (yes, no []string)) []value {
	var all []value
	for _, ap := range p.AuthorizationPolicies() {
		for i, rule := range ap.Spec.GetRules() {
			for j, to := range rule.GetTo() {
				yes, no := list(to.GetOperation())
				all = collect(all, ap, fmt.Sprintf("spec.rules[%d].to[%d].operation", i, j), name, yes, no)
			}
		}
	}
	return all
}

// sources are the values of a list of the rules' sources, such as principals,
// and those of the condition that means the same, such as source.principal.
func sources(ap policy, name, condition string, list func(*security.Source) (yes, no []string)) []value {
	var all []value
	for i, rule := range ap.Spec.GetRules() {
		for j, from := range rule.GetFrom() {
			yes, no := list(from.GetSource())
			all = collect(all, ap, fmt.Sprintf("spec.rules[%d].from[%d].source", i, j), name, yes, no)
		}
		for j, when := range rule.GetWhen() {
			if when.GetKey() == condition {
				all = collect(all, ap, fmt.Sprintf("spec.rules[%d].when[%d]", i, j), "values", when.GetValues(), when.GetNotValues())
			}
		}
	}
	return all
}

func collect(all []value, ap policy, base, name string, yes, no []string) []value {
	for k, text := range yes {
		all = append(all, value{ap, ap.At("%s.%s[%d]", base, name, k), text, false})
	}
	for k, text := range no {
		all = append(all, value{ap, ap.At("%s.not%s[%d]", base, strings.ToUpper(name[:1])+name[1:], k), text, true})
	}
	return all
}

// principals are the identities of callers that a policy names.
func principals(ap policy) []value {
	return sources(ap, "principals", "source.principal", func(s *security.Source) (yes, no []string) {
		return s.GetPrincipals(), s.GetNotPrincipals()
	})
}

// account is a service account that a policy names.
type account struct {
	value
	namespace, name string
}

// accounts are the service accounts of this mesh that a policy names outright,
// without wildcards.
func accounts(p *analyze.Pass, ap policy) []account {
	var all []account
	for _, v := range principals(ap) {
		parts := strings.Split(v.text, "/")
		if len(parts) == 5 && parts[1] == "ns" && parts[3] == "sa" && !strings.Contains(v.text, "*") && ourDomain(p, parts[0]) {
			all = append(all, account{v, parts[2], parts[4]})
		}
	}
	named := sources(ap, "serviceAccounts", "source.serviceAccount", func(s *security.Source) (yes, no []string) {
		return s.GetServiceAccounts(), s.GetNotServiceAccounts()
	})
	for _, v := range named {
		namespace, name, found := strings.Cut(v.text, "/")
		if !found {
			namespace, name = ap.Namespace, v.text
		}
		if !strings.Contains(v.text, "*") {
			all = append(all, account{v, namespace, name})
		}
	}
	return all
}

// ourDomain says whether a trust domain is this mesh's. cluster.local always
// is: istiod replaces it by the real one.
func ourDomain(p *analyze.Pass, domain string) bool {
	return domain == "cluster.local" || domain == p.TrustDomain() || slices.Contains(p.MeshConfig().GetTrustDomainAliases(), domain)
}

// enforcers are the workloads that a policy without targetRefs applies to and
// whose proxies enforce it.
func enforcers(p *analyze.Pass, ap policy) []*mesh.Workload {
	namespace := ap.Namespace
	if namespace == p.RootNamespace() {
		namespace = ""
	}
	return slices.DeleteFunc(slices.Clone(p.Select(namespace, labelsOf(ap.Spec))), func(w *mesh.Workload) bool {
		return p.DataPlane(w) == mesh.OutOfMesh
	})
}
