package annotations

import (
	"istio.io/api/annotation"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Alpha finds annotations that a later Istio may change at will. Before an
// install or an upgrade that is worth knowing; precheck runs it.
var Alpha = &analyze.Check{
	Code: "IST0136", Name: "alpha-annotation", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.Service},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "An object or a pod template has an annotation whose status in Istio's list is alpha. Only precheck looks for these.",
		Why:  "Alpha features may change or go with any version of Istio. Most of these annotations have been alpha for years.",
		Fix:  "Nothing is wrong now. Read the release notes for them before an upgrade.",
	},
	Run: func(p *analyze.Pass) {
		known := NewRegistry()
		for c := range carriers(p) {
			for _, name := range c.istios() {
				a, ok := known.Annotation(name)
				if ok && a.FeatureStatus == annotation.Alpha && !a.Hidden && !a.Deprecated && c.counts(a) && !written(name) {
					p.Report(c.key(name), "the annotation %s is alpha", name).
						Suggest("look it up in the release notes before an upgrade")
				}
			}
		}
	},
}

// written says whether Istio itself writes an annotation into pods.
func written(name string) bool {
	return name == annotation.SidecarStatus.Name || name == annotation.IoIstioRev.Name
}
