package virtualservice

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// LegacyGatewayName finds Gateways of matches that are named like Services. Of
// those at the top istiod itself warns (IST0133).
var LegacyGatewayName = &analyze.Check{
	Code: "MSH0504", Name: "legacy-gateway-name", Severity: analyze.Info, KIA: "KIA1108",
	Reads: []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "A match of a VirtualService names a Gateway in the old form name.namespace.svc.cluster.local.",
		Why:  "It works as long as it is the very text that stands in the list of gateways; everywhere else the form is namespace/name.",
		Fix:  "Write namespace/name, in the match and in the list of gateways.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			for _, g := range mesh.GatewayNames(vs.Spec, vs.Namespace) {
				if !strings.HasPrefix(g.Path, "spec.gateways[") && strings.Contains(g.Text, ".") && !strings.Contains(g.Text, "/") {
					p.Report(vs.At("%s", g.Path), "%q is the old form of a Gateway's name", g.Text).
						Suggest("change it to %q", g.Namespace+"/"+g.Name)
				}
			}
		}
	},
}
