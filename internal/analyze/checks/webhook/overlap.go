package webhook

import (
	admission "k8s.io/api/admissionregistration/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Overlap finds pods that two injectors would both take.
var Overlap = &analyze.Check{
	Code: "IST0139", Name: "injectors-overlap", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.MutatingWebhookConfiguration},
	Doc: analyze.Doc{
		What: "The webhooks of two of Istio's injectors select the same pods: mostly two revisions, or a revision and a tag, that both serve istio-injection=enabled.",
		Why:  "The API server asks both, one after the other. Which revision a pod gets depends on the names of the webhooks, not on its labels, and the second injector works on what the first one made.",
		Fix:  "Let one of them go: remove the revision or tag that is not wanted any more (meshctl tag remove, meshctl uninstall --revision), or move the tag instead of adding another.",
	},
	Run: func(p *analyze.Pass) {
		var configs []*admission.MutatingWebhookConfiguration
		byName := map[string]*mesh.Object{}
		for _, c := range p.MutatingWebhooks() {
			configs = append(configs, c.Spec)
			byName[c.Name] = c.Object
		}
		// Pairs: a mesh has a handful of injectors, however many services.
		for _, clash := range mesh.Clashes(configs) {
			p.Report(byName[clash.Second].At(""), "%s and %s both inject into %s", clash.First, clash.Second, clash.Where()).
				Evidence(byName[clash.First].At(""), "takes them, too").
				Suggest("remove the revision or tag that is not wanted, or move the tag: meshctl tag list shows them")
		}
	},
}
