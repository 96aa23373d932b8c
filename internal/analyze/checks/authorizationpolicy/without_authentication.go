package authorizationpolicy

import (
	"fmt"
	"slices"
	"strings"

	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// WithoutAuthentication finds policies that rest on tokens nobody looks at.
var WithoutAuthentication = &analyze.Check{
	Code: "MSH0118", Name: "token-without-request-authentication", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.RequestAuthentication, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace, mesh.EnvoyFilter, mesh.WorkloadEntry, mesh.WorkloadGroup),
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy asks what a request's token says (requestPrincipals, request.auth...), but no RequestAuthentication applies to its workloads.",
		Why:  "Without RequestAuthentication the proxy does not read tokens, and every request counts as one without. ALLOW rules for token holders match nobody; DENY rules with notRequestPrincipals refuse everybody.",
		Fix:  "Add a RequestAuthentication for the same workloads, in their namespace or in the root namespace, with the issuer of the tokens; or move the policy to where the tokens are verified, such as the gateway.",
	},
	Run: func(p *analyze.Pass) {
		var selecting []*mesh.Resource[*security.RequestAuthentication]
		byTarget := map[string]bool{}
		for _, ra := range p.RequestAuthentications() {
			if refs := ra.Spec.GetTargetRefs(); len(refs) > 0 || ra.Spec.GetTargetRef() != nil {
				byTarget[ra.Namespace] = true
			} else {
				selecting = append(selecting, ra)
			}
		}
		index := mesh.IndexSelectors(selecting, func(ra *security.RequestAuthentication) map[string]string {
			return ra.GetSelector().GetMatchLabels()
		})
		inNamespace := map[string]bool{}
		for _, ra := range selecting {
			inNamespace[ra.Namespace] = true
		}
		filtered := map[string]bool{} // by namespace
		judged := map[string]bool{}   // by namespace and selector: policies for all workloads are many
		for _, ap := range p.AuthorizationPolicies() {
			root := p.RootNamespace()
			field, negative := tokens(ap)
			if field == "" || byTarget[ap.Namespace] || byTarget[root] {
				continue
			}
			authenticated := inNamespace[ap.Namespace] || inNamespace[root]
			if authenticated && !targeted(ap.Spec) {
				key := ap.Namespace + "/" + selector.Text(labelsOf(ap.Spec))
				any, known := judged[key]
				if !known {
					any = anyAuthenticated(p, ap, index)
					judged[key] = any
				}
				authenticated = any
			}
			if !authenticated {
				reportToken(p, ap, field, negative, filtered)
			}
		}
	},
}

// tokens is the first field of a policy that asks for what a token says;
// negative when it is about requests without.
func tokens(ap policy) (field string, negative bool) {
	for i, rule := range ap.Spec.GetRules() {
		for j, from := range rule.GetFrom() {
			base := fmt.Sprintf("spec.rules[%d].from[%d].source.", i, j)
			if len(from.GetSource().GetRequestPrincipals()) > 0 {
				return base + "requestPrincipals", false
			}
			if len(from.GetSource().GetNotRequestPrincipals()) > 0 {
				return base + "notRequestPrincipals", true
			}
		}
		for j, when := range rule.GetWhen() {
			if strings.HasPrefix(when.GetKey(), "request.auth.") {
				return fmt.Sprintf("spec.rules[%d].when[%d].key", i, j), len(when.GetValues()) == 0
			}
		}
	}
	return "", false
}

// anyAuthenticated says whether a RequestAuthentication applies to one of the
// policy's workloads, or may.
func anyAuthenticated(p *analyze.Pass, ap policy, index *mesh.Selectors[*security.RequestAuthentication]) bool {
	root := p.RootNamespace()
	workloads := enforcers(p, ap)
	for _, w := range workloads {
		for _, ns := range []string{w.Object.Namespace, root} {
			if len(index.Defaults(ns)) > 0 || len(index.Selecting(ns, w.PodLabels)) > 0 {
				return true
			}
		}
	}
	return len(workloads) == 0 || p.SelectsMachines(ap.Namespace, labelsOf(ap.Spec))
}

func reportToken(p *analyze.Pass, ap policy, field string, negative bool, filtered map[string]bool) {
	for _, ns := range []string{ap.Namespace, p.RootNamespace()} {
		if !p.KnownIn(mesh.RequestAuthentication, ns) {
			p.CantTell(mesh.RequestAuthentication, ns)
			return
		}
	}
	if _, known := filtered[ap.Namespace]; !known {
		filtered[ap.Namespace] = byFilter(p, ap.Namespace)
	}
	if filtered[ap.Namespace] {
		return
	}
	effect := "the rule matches no request"
	switch action := ap.Spec.GetAction(); {
	case negative && action == security.AuthorizationPolicy_DENY:
		effect = "every request is refused"
	case negative:
		effect = "the condition holds for every request"
	case action == security.AuthorizationPolicy_ALLOW:
		effect = "it allows no request"
	case action == security.AuthorizationPolicy_DENY:
		effect = "it refuses no request"
	}
	p.Report(ap.At("%s", field), "no RequestAuthentication applies to the policy's workloads, so that no token is read and %s", effect).
		Suggest("add a RequestAuthentication for them to namespace %q", ap.Namespace)
}

// byFilter says whether an EnvoyFilter may verify tokens instead.
func byFilter(p *analyze.Pass, namespace string) bool {
	filters := slices.Concat(mesh.InNamespace(p.EnvoyFilters(), namespace), mesh.InNamespace(p.EnvoyFilters(), p.RootNamespace()))
	for _, ef := range filters {
		for _, patch := range ef.Spec.GetConfigPatches() {
			if strings.Contains(patch.GetPatch().GetValue().String(), "jwt") {
				return true
			}
		}
	}
	return false
}
