package telemetry

import (
	telemetry "istio.io/api/telemetry/v1alpha1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NoProvider finds access logs that are asked for but written by nobody.
var NoProvider = &analyze.Check{
	Code: "IST0157", Name: "telemetry-without-provider", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Telemetry, mesh.ConfigMap},
	Doc: analyze.Doc{
		What: "A Telemetry asks for access logs without naming a provider, and nothing above it names one: no Telemetry of the namespace or of the mesh, and no default provider in the mesh config.",
		Why:  "Nothing writes the logs: the Telemetry is ignored without a word.",
		Fix:  "Name a provider (envoy writes to standard output), or set defaultProviders.accessLogging in the mesh config. To switch logs off, none is needed.",
	},
	Run: func(p *analyze.Pass) {
		config := p.MeshConfig()
		p.KnownIn(mesh.ConfigMap, p.IstioNamespace())
		if len(config.GetDefaultProviders().GetAccessLogging()) > 0 {
			return
		}
		root := p.RootNamespace()
		named := namedByDefaults(p)
		for _, t := range p.Telemetries() {
			above := named[root] || named[t.Namespace] && !isDefault(t)
			if top := isDefault(t) && t.Namespace == root; top || !above {
				noProvider(p, t, root)
			}
		}
	},
}

// namedByDefaults are the namespaces whose Telemetries for everything name a provider.
func namedByDefaults(p *analyze.Pass) map[string]bool {
	named := map[string]bool{}
	for _, t := range p.Telemetries() {
		for _, logging := range t.Spec.GetAccessLogging() {
			if isDefault(t) && len(logging.GetProviders()) > 0 {
				named[t.Namespace] = true
			}
		}
	}
	return named
}

// noProvider reports the first entry that asks for logs which nothing writes.
func noProvider(p *analyze.Pass, t resource, root string) {
	for i, logging := range t.Spec.GetAccessLogging() {
		switch {
		case len(logging.GetProviders()) > 0:
			return // the entries after it inherit them
		case disabled(logging):
			continue
		case t.Namespace != root && !p.KnownIn(mesh.Telemetry, root):
			p.CantTell(mesh.Telemetry, root)
			return
		}
		if config := p.MeshConfig(); config.Object == nil || config.Problem != "" {
			p.CantTell(mesh.ConfigMap, p.IstioNamespace())
			return
		}
		p.Report(t.At("spec.accessLogging[%d]", i), "nothing writes these access logs: no provider is named here, nor for the namespace, nor in the mesh config").
			Suggest(`add "providers: [{name: envoy}]"`).
			Evidence(p.MeshConfig().Object.At("data.mesh"), "has no defaultProviders.accessLogging")
		return
	}
}

func disabled(logging *telemetry.AccessLogging) bool { return logging.GetDisabled().GetValue() }
