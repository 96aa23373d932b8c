package authorizationpolicy

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingNamespace finds policies about callers from a namespace that does not exist.
var MissingNamespace = &analyze.Check{
	Code: "IST0101", Name: "missing-source-namespace", Severity: analyze.Error, KIA: "KIA0101",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Namespace},
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy names a namespace of callers that does not exist.",
		Why:  "The rule matches nobody: an ALLOW policy refuses the callers that were meant, a DENY policy lets them in.",
		Fix:  "Correct the name. It is the caller's namespace, not its trust domain or service account. A namespace that exists only in another cluster of the mesh is fine.",
	},
	Run: func(p *analyze.Pass) {
		names := []string{"default", "kube-system", "kube-public", "kube-node-lease"} // Kubernetes makes these
		for _, ns := range p.Namespaces() {
			names = append(names, ns.Name)
		}
		known := p.KnownEverywhere(mesh.Namespace)
		for _, ap := range p.AuthorizationPolicies() {
			for i, rule := range ap.Spec.GetRules() {
				for j, from := range rule.GetFrom() {
					base := fmt.Sprintf("spec.rules[%d].from[%d].source", i, j)
					for field, list := range map[string][]string{"namespaces": from.GetSource().GetNamespaces(), "notNamespaces": from.GetSource().GetNotNamespaces()} {
						for k, pattern := range list {
							if p.HasNamespace(pattern, mesh.AuthorizationPolicy) || matchesAny(pattern, names) {
								continue
							}
							if !known {
								p.CantTell(mesh.Namespace, "")
								continue
							}
							missingNamespace(p, ap.At("%s.%s[%d]", base, field, k), pattern, names)
						}
					}
				}
			}
		}
	},
}

func missingNamespace(p *analyze.Pass, at mesh.Location, pattern string, names []string) {
	if strings.Contains(pattern, "*") {
		p.Report(at, "no namespace matches %q", pattern)
		return
	}
	f := p.Report(at, "there is no namespace %q", pattern)
	p.Advise(func() {
		if best := hint.Closest(pattern, names); best != "" {
			f.Suggest("change it to %q", best)
		}
	})
}

// matchesAny says whether a namespace is what a policy's text means, which may
// begin or end with *.
func matchesAny(pattern string, names []string) bool {
	for _, name := range names {
		switch {
		case pattern == "*", pattern == name,
			strings.HasPrefix(pattern, "*") && strings.HasSuffix(name, pattern[1:]),
			strings.HasSuffix(pattern, "*") && strings.HasPrefix(name, strings.TrimSuffix(pattern, "*")):
			return true
		}
	}
	return pattern == "*"
}
