package webhook

import (
	"net/netip"
	"net/url"

	"github.com/meshctl/meshctl/internal/analyze"
)

// InvalidURL finds webhooks of an external control plane that lead nowhere.
var InvalidURL = &analyze.Check{
	Code: "IST0163", Name: "webhook-url-invalid", Severity: analyze.Warning,
	Reads: kinds(),
	Doc: analyze.Doc{
		What: "A webhook of Istio's has neither a Service nor a usable URL. Clusters whose control plane runs elsewhere reach it by the URL.",
		Why:  "The API server refuses such a configuration, or cannot reach the control plane: no pod is injected, no object validated.",
		Fix:  "Set webhooks[].clientConfig.url to an https:// URL of the external control plane, such as https://istiod.example.com:15017/inject (values istiodRemote.injectionURL, base.validationURL), or name the Service.",
	},
	Run: func(p *analyze.Pass) {
		for _, h := range hooks(p) {
			switch {
			case h.client.URL == nil && h.client.Service == nil:
				p.Report(h.at(""), "the webhook %s has neither a url nor a service", h.name).
					Suggest("add url: https://<external control plane>:15017/%s, or the service", h.path)
			case h.client.URL != nil:
				if problem := wrongURL(*h.client.URL); problem != "" {
					p.Report(h.at("url"), "the URL %q of webhook %s %s", *h.client.URL, h.name, problem).
						Suggest("write it as https://<host>:15017/%s", h.path)
				}
			}
		}
	},
}

// AddressURL finds webhooks that reach an external control plane by its address.
var AddressURL = &analyze.Check{
	Code: "IST0164", Name: "webhook-url-address", Severity: analyze.Info,
	Reads: kinds(),
	Doc: analyze.Doc{
		What: "A webhook of Istio's reaches an external control plane by an IP address instead of a host name.",
		Why:  "It works as long as the address stays and the control plane's certificate names it. Load balancers change addresses, and then no pod is injected.",
		Fix:  "Give the control plane a DNS name that is in its certificate, and use it in the URL.",
	},
	Run: func(p *analyze.Pass) {
		for _, h := range hooks(p) {
			if h.client.URL == nil || wrongURL(*h.client.URL) != "" {
				continue
			}
			u, err := url.Parse(*h.client.URL)
			if err != nil {
				continue
			}
			if _, err := netip.ParseAddr(u.Hostname()); err == nil {
				p.Report(h.at("url"), "the webhook %s reaches the control plane by its address %s, not by a name", h.name, u.Hostname()).
					Suggest("use a DNS name that the control plane's certificate has")
			}
		}
	},
}

// wrongURL is what the API server does not take about a URL; empty when it
// takes it.
func wrongURL(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "cannot be read"
	case u.Scheme != "https":
		return "does not begin with https://"
	case u.Hostname() == "":
		return "has no host"
	case u.User != nil:
		return "has a user name in it"
	case u.RawQuery != "" || u.Fragment != "":
		return "has a query or a fragment in it"
	}
	return ""
}
