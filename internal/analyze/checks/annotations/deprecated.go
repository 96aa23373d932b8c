package annotations

import (
	"istio.io/api/annotation"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Deprecated finds annotations that a later Istio will not read.
var Deprecated = &analyze.Check{
	Code: "IST0135", Name: "deprecated-annotation", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.Service},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "An object or a pod template has an annotation that Istio's list of annotations calls deprecated.",
		Why:  "It still works, but a coming version may stop reading it, and an upgrade would then change how the workload behaves.",
		Fix:  "Use what has taken its place: the label sidecar.istio.io/inject, proxy.istio.io/config for discovery address and statistics.",
	},
	Run: func(p *analyze.Pass) {
		known := NewRegistry()
		instead := replacements()
		for c := range carriers(p) {
			for _, name := range c.istios() {
				a, ok := known.Annotation(name)
				if !ok || !a.Deprecated || !c.counts(a) {
					continue
				}
				if name == annotation.SidecarInject.Name && c.workload.PodLabels[name] != "" {
					continue // the label counts; the annotation is for an older Istio
				}
				f := p.Report(c.key(name), "the annotation %s is deprecated", name)
				if name == annotation.SidecarInject.Name {
					f.Suggest("write it as a label of the pods: sidecar.istio.io/inject: %q", c.annotations[name])
				} else if fix := instead[name]; fix != "" {
					f.Suggest("%s", fix)
				}
			}
		}
	},
}

// replacements say what to write instead of deprecated annotations.
func replacements() map[string]string {
	const stats = "use proxyStatsMatcher in the annotation proxy.istio.io/config"
	return map[string]string{
		annotation.SidecarDiscoveryAddress.Name:          "set discoveryAddress in the annotation proxy.istio.io/config",
		annotation.SidecarExtraStatTags.Name:             "set extraStatTags in the annotation proxy.istio.io/config",
		annotation.SidecarStatsCompression.Name:          "set statsCompression in the annotation proxy.istio.io/config",
		annotation.SidecarStatsInclusionPrefixes.Name:    stats,
		annotation.SidecarStatsInclusionRegexps.Name:     stats,
		annotation.SidecarStatsInclusionSuffixes.Name:    stats,
		annotation.SidecarTrafficKubevirtInterfaces.Name: "use istio.io/reroute-virtual-interfaces",
		annotation.AlphaCanonicalServiceAccounts.Name:    "use subjectAltNames of a ServiceEntry or DestinationRule",
		annotation.AlphaKubernetesServiceAccounts.Name:   "use subjectAltNames of a ServiceEntry or DestinationRule",
	}
}
