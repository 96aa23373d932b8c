package gatewayapi

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// GrantFromNowhere finds ReferenceGrants for a namespace that does not exist.
var GrantFromNowhere = &analyze.Check{
	Code: "MSH0307", Name: "grant-from-missing-namespace", Severity: analyze.Warning, KIA: "KIA1601",
	Reads: []mesh.Kind{mesh.ReferenceGrant, mesh.Namespace},
	Doc: analyze.Doc{
		What: "A ReferenceGrant lets a namespace in that does not exist.",
		Why:  "Whoever was meant is not let in. And whoever creates a namespace of that name one day gets the right to use what the grant opens.",
		Fix:  "Correct the name, or remove the entry.",
	},
	Run: func(p *analyze.Pass) {
		var names []string
		for _, ns := range p.Namespaces() {
			names = append(names, ns.Name)
		}
		for _, grant := range p.ReferenceGrants() {
			for i, from := range grant.Spec.From {
				name := string(from.Namespace)
				if name == "" || p.HasNamespace(name, mesh.ReferenceGrant) {
					continue
				}
				if !p.KnownEverywhere(mesh.Namespace) {
					p.CantTell(mesh.Namespace, "")
					continue
				}
				f := p.Report(grant.At("spec.from[%d].namespace", i), "there is no namespace %q", name)
				p.Advise(func() {
					if best := hint.Closest(name, names); best != "" {
						f.Suggest("change it to %q", best)
					}
				})
			}
		}
	},
}
