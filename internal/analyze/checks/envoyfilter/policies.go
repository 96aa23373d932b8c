package envoyfilter

import (
	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// policies are the namespaces with the policies for which istiod adds filters;
// an empty name stands for any.
type policies struct{ requests, rules, custom map[string]bool }

func policiesOf(p *analyze.Pass) policies {
	x := policies{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	note := func(set map[string]bool, namespace string) { set[namespace], set[""] = true, true }
	for _, ra := range p.RequestAuthentications() {
		note(x.requests, ra.Namespace)
	}
	for _, ap := range p.AuthorizationPolicies() {
		note(x.rules, ap.Namespace)
		if ap.Spec.GetAction() == security.AuthorizationPolicy_CUSTOM {
			note(x.custom, ap.Namespace)
		}
	}
	return x
}

// judge reports a patch that refers to a filter that istiod adds for policies
// only, when there are none.
func (x policies) judge(p *analyze.Pass, patch patch) {
	switch patch.anchor() {
	case "envoy.filters.http.jwt_authn":
		without(p, patch, mesh.RequestAuthentication, "a RequestAuthentication", x.requests)
	case "envoy.filters.http.rbac", "envoy.filters.network.rbac":
		without(p, patch, mesh.AuthorizationPolicy, "an AuthorizationPolicy", x.rules)
	case "envoy.filters.http.ext_authz", "envoy.filters.network.ext_authz":
		without(p, patch, mesh.AuthorizationPolicy, "an AuthorizationPolicy with action CUSTOM", x.custom)
	}
}

// without reports a patch for whose workloads there can be no policy.
func without(p *analyze.Pass, patch patch, kind mesh.Kind, what string, in map[string]bool) {
	home, root := patch.filter.Namespace, p.RootNamespace()
	if in[home] || in[root] || home == root && in[""] {
		return
	}
	if !p.KnownIn(kind, home) || !p.KnownIn(kind, root) || home == root && !p.KnownEverywhere(kind) {
		p.CantTell(kind, home)
		return
	}
	p.Report(patch.atAnchor(), "no filter fits: istiod adds %q only where there is %s, and there is none for these workloads", patch.anchor(), what).
		Suggest("use INSERT_FIRST, or refer to %q", router)
}
