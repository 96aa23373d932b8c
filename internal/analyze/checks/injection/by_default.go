package injection

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NamespaceInjectedByDefault finds namespaces that get proxies though nothing
// on them says so.
var NamespaceInjectedByDefault = &analyze.Check{
	Code: "IST0148", Name: "namespace-injected-by-default", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.Namespace},
	Doc: analyze.Doc{
		What: "A namespace has no label that says whether it belongs to the mesh, and the injector takes all such namespaces (enableNamespacesByDefault).",
		Why:  "New pods get a proxy. Whoever looks at the namespace does not see it, and when the injector's setting goes back they lose it.",
		Fix:  "Write it down: label the namespace istio-injection=enabled, or istio-injection=disabled to keep it outside.",
	},
	Run: func(p *analyze.Pass) {
		if !p.InjectsByDefault() {
			return
		}
		for _, ns := range p.Namespaces() {
			if labelled(ns) || mesh.IsSystemNamespace(ns.Name) || ns.Name == p.IstioNamespace() || !p.Discovers(ns) {
				continue
			}
			p.Report(ns.At("metadata.labels"), "no label asks for proxies, and the injector gives them all the same: its enableNamespacesByDefault is true").
				Suggest("%s, or istio-injection=disabled to keep it outside", labelCommand(ns.Name))
		}
	},
}
