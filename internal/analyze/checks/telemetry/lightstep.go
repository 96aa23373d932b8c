package telemetry

import (
	meshconfig "istio.io/api/mesh/v1alpha1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// DeprecatedLightstep finds Telemetries that trace to the Lightstep provider.
var DeprecatedLightstep = &analyze.Check{
	Code: "IST0002", Name: "deprecated-lightstep", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Telemetry},
	Doc: analyze.Doc{
		What: "A Telemetry traces to an extension provider of type lightstep, which Istio has deprecated and Envoy has dropped.",
		Why:  "Proxies of newer versions cannot send traces this way, and the traces are missing.",
		Fix:  "Define an opentelemetry provider in the mesh config that sends to Lightstep's collector, and name it in the Telemetry.",
	},
	Run: func(p *analyze.Pass) {
		lightstep := map[string]bool{}
		for _, provider := range p.MeshConfig().GetExtensionProviders() {
			if _, is := provider.GetProvider().(*meshconfig.MeshConfig_ExtensionProvider_Lightstep); is {
				lightstep[provider.GetName()] = true
			}
		}
		for _, t := range p.Telemetries() {
			for i, tracing := range t.Spec.GetTracing() {
				for j, provider := range tracing.GetProviders() {
					if lightstep[provider.GetName()] {
						p.Report(t.At("spec.tracing[%d].providers[%d].name", i, j), "the provider %q is of type lightstep, which is deprecated", provider.GetName()).
							Suggest("name a provider of type opentelemetry")
					}
				}
			}
		}
	},
}
