package webhook

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingService finds webhooks that lead to a Service that does not exist.
var MissingService = &analyze.Check{
	Code: "IST0139", Name: "webhook-service-missing", Severity: analyze.Error,
	Reads: append(kinds(), mesh.Service),
	Doc: analyze.Doc{
		What: "A webhook of Istio's leads to a Service that does not exist. Mostly it was left behind when a control plane or a revision was removed.",
		Why:  "The API server cannot ask it. With failurePolicy Fail it then refuses every new pod, or every change of Istio's objects, that the webhook selects; with Ignore pods start without sidecar.",
		Fix:  "Remove the configuration of the webhook, or install the revision that it belongs to.",
	},
	Run: func(p *analyze.Pass) {
		for _, h := range hooks(p) {
			service := h.client.Service
			if service == nil || p.Get(mesh.Service, service.Namespace, service.Name) != nil {
				continue
			}
			if !p.KnownIn(mesh.Service, service.Namespace) {
				p.CantTell(mesh.Service, service.Namespace)
				continue
			}
			effect := "what it watches, " + h.what + ", passes without it"
			if h.fails {
				effect = "the API server refuses what it watches, " + h.what
			}
			// The nearest name is no advice: it is mostly another revision's.
			p.Report(h.at("service.name"), "there is no Service %q in namespace %q for the webhook %s: %s", service.Name, service.Namespace, h.name, effect).
				Suggest("kubectl delete %s %s, if its control plane is gone for good; otherwise install that again", h.config.Kind.Resource, h.config.Name)
		}
	},
}
