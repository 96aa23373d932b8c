package requestauthentication

import (
	"slices"
	"strings"

	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// what both checks of rules for the same issuer say.
const (
	conflictWhy = "istiod does not choose between RequestAuthentications, it adds up their rules: a token that any rule for its issuer accepts is let in. So the audiences of one rule restrict nothing when another has more or none, and what is forwarded to the workload depends on which rule is the older."
	conflictFix = "Keep one rule per issuer for a workload, with all its audiences, and restrict single workloads by AuthorizationPolicies on request.auth.audiences."
)

// ConflictingDefault finds rules for one issuer in several RequestAuthentications
// for all workloads. Several as such are fine: istiod merges them.
var ConflictingDefault = &analyze.Check{
	Code: "MSH0107", Name: "conflicting-default-request-authentications", Severity: analyze.Warning, KIA: "KIA0002",
	Reads: []mesh.Kind{mesh.RequestAuthentication},
	Doc: analyze.Doc{
		What: "Several RequestAuthentications without selector, of one namespace or of it and the root namespace, have rules for the same issuer that differ.",
		Why:  conflictWhy,
		Fix:  conflictFix,
	},
	Run: func(p *analyze.Pass) {
		defaults, root := byIssuer(p), p.RootNamespace()
		for _, ra := range p.RequestAuthentications() {
			if len(labelsOf(ra.Spec)) > 0 || targeted(ra.Spec) {
				continue
			}
			rivalry(p, ra, `namespace "`+ra.Namespace+`"`, func(issuer string) []policy {
				own := defaults[issuerIn{ra.Namespace, issuer}]
				if ra.Namespace == root {
					return own
				}
				return slices.Concat(own, defaults[issuerIn{root, issuer}])
			})
		}
	},
}

// Conflicting is [ConflictingDefault] where one of the policies has a selector.
var Conflicting = &analyze.Check{
	Code: "MSH0108", Name: "conflicting-request-authentications", Severity: analyze.Warning, KIA: "KIA0003",
	Reads: []mesh.Kind{mesh.RequestAuthentication, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace),
	Doc: analyze.Doc{
		What: "Several RequestAuthentications for the same workload have rules for the same issuer that differ.",
		Why:  conflictWhy,
		Fix:  conflictFix,
	},
	Run: func(p *analyze.Pass) {
		index, defaults, root := newIndex(p), byIssuer(p), p.RootNamespace()
		for _, ra := range p.RequestAuthentications() {
			if len(labelsOf(ra.Spec)) == 0 || targeted(ra.Spec) {
				continue
			}
			namespace := ra.Namespace
			if namespace == root {
				namespace = ""
			}
			for _, w := range p.Select(namespace, labelsOf(ra.Spec)) {
				if p.DataPlane(w) == mesh.OutOfMesh {
					continue
				}
				ns := w.Object.Namespace
				selecting := index.Selecting(ns, w.PodLabels)
				if ns != root {
					selecting = slices.Concat(selecting, index.Selecting(root, w.PodLabels))
				}
				whom := strings.ToLower(w.Object.Kind.Kind) + ` "` + w.Object.Name + `"`
				if rivalry(p, ra, whom, func(issuer string) []policy {
					all := slices.Concat(selecting, defaults[issuerIn{ns, issuer}])
					if ns == root {
						return all
					}
					return slices.Concat(all, defaults[issuerIn{root, issuer}])
				}) {
					break
				}
			}
		}
	},
}

// newIndex finds the policies of workloads, those with targetRefs left out.
func newIndex(p *analyze.Pass) *mesh.Selectors[spec] {
	var selecting []policy
	for _, ra := range p.RequestAuthentications() {
		if !targeted(ra.Spec) {
			selecting = append(selecting, ra)
		}
	}
	return mesh.IndexSelectors(selecting, labelsOf)
}

type issuerIn struct{ namespace, issuer string }

// byIssuer are the policies for all workloads of a namespace that have a rule
// for an issuer.
func byIssuer(p *analyze.Pass) map[issuerIn][]policy {
	defaults := map[issuerIn][]policy{}
	for _, ra := range p.RequestAuthentications() {
		if len(labelsOf(ra.Spec)) > 0 || targeted(ra.Spec) {
			continue
		}
		seen := map[string]bool{}
		for _, rule := range ra.Spec.GetJwtRules() {
			if issuer := rule.GetIssuer(); !seen[issuer] {
				seen[issuer] = true
				defaults[issuerIn{ra.Namespace, issuer}] = append(defaults[issuerIn{ra.Namespace, issuer}], ra)
			}
		}
	}
	return defaults
}

// rivalry reports the rules of a policy for whose issuer another has a rule
// that differs.
func rivalry(p *analyze.Pass, ra policy, whom string, rivals func(issuer string) []policy) bool {
	found := false
	for i, rule := range ra.Spec.GetJwtRules() {
		for _, other := range rivals(rule.GetIssuer()) {
			j := slices.IndexFunc(other.Spec.GetJwtRules(), func(r *security.JWTRule) bool { return differ(rule, r) != "" })
			if other.Object == ra.Object || j < 0 {
				continue
			}
			what := differ(rule, other.Spec.GetJwtRules()[j])
			effect := "which of them counts for a token depends on their age"
			if what == "audiences" {
				effect = "a token is let in that either accepts"
			}
			p.Report(ra.At("spec.jwtRules[%d].issuer", i), "another RequestAuthentication for %s has a rule for issuer %q with other %s: %s", whom, rule.GetIssuer(), what, effect).
				Evidence(other.At("spec.jwtRules[%d]", j), "is for the same issuer").
				Suggest("keep one rule for the issuer")
			found = true
			break
		}
	}
	return found
}

// differ is what is not the same in two rules for one issuer that look for
// tokens in the same places; empty when nothing that matters differs.
func differ(a, b *security.JWTRule) string {
	sorted := func(list []string) []string { return slices.Sorted(slices.Values(list)) }
	if a.GetIssuer() != b.GetIssuer() || places(a) != places(b) {
		return ""
	}
	switch {
	case !slices.Equal(sorted(a.GetAudiences()), sorted(b.GetAudiences())):
		return "audiences"
	case a.GetForwardOriginalToken() != b.GetForwardOriginalToken():
		return "forwardOriginalToken"
	case a.GetOutputPayloadToHeader() != b.GetOutputPayloadToHeader():
		return "outputPayloadToHeader"
	}
	return ""
}

// places are where a rule looks for tokens.
func places(r *security.JWTRule) string {
	var all []string
	for _, h := range r.GetFromHeaders() {
		all = append(all, "header "+strings.ToLower(h.GetName())+" "+h.GetPrefix())
	}
	for _, param := range r.GetFromParams() {
		all = append(all, "param "+param)
	}
	for _, cookie := range r.GetFromCookies() {
		all = append(all, "cookie "+cookie)
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
