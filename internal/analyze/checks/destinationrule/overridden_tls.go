package destinationrule

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// OverriddenTLS finds rules that take mutual TLS away by not mentioning it.
var OverriddenTLS = &analyze.Check{
	Code: "MSH0202", Name: "mutual-tls-overridden", Severity: analyze.Warning, KIA: "KIA0204",
	Reads: []mesh.Kind{mesh.DestinationRule},
	Doc: analyze.Doc{
		What: "A DestinationRule without tls is for a host that a rule for more hosts covers with ISTIO_MUTUAL, and automatic mutual TLS is switched off.",
		Why:  "The rule for the host replaces the wider one altogether, nothing is inherited. Clients connect to the host in plaintext.",
		Fix:  "Repeat tls.mode ISTIO_MUTUAL in the rule, or remove enableAutoMtls: false from the mesh config.",
	},
	Run: func(p *analyze.Pass) {
		if auto := p.MeshConfig().GetEnableAutoMtls(); auto == nil || auto.GetValue() {
			return
		}
		type hostIn struct{ namespace, host string }
		known := map[hostIn]rule{} // many rules may be for one host
		for _, dr := range p.DestinationRules() {
			host := p.FQDN(dr.Spec.GetHost(), dr.Namespace)
			key := hostIn{dr.Namespace, host}
			wider, judged := known[key]
			if !judged {
				wider = overridden(p, dr, host)
				known[key] = wider
			}
			if wider != nil {
				p.Report(dr.At("spec.host"), "clients of %q connect in plaintext: the rule says nothing of tls and replaces that for %q", host, wider.Spec.GetHost()).
					Evidence(wider.At("spec.trafficPolicy.tls.mode"), "is ISTIO_MUTUAL").
					Suggest("add spec.trafficPolicy.tls.mode: ISTIO_MUTUAL")
			}
		}
	},
}

// overridden is a wider rule with mutual TLS that a rule without any replaces;
// nil when there is none, or another rule for the same host has TLS.
func overridden(p *analyze.Pass, dr rule, host string) (wider rule) {
	_, service, _ := p.ServiceName(host)
	for _, other := range p.RulesFor(host) {
		sameHost := p.FQDN(other.Spec.GetHost(), other.Namespace) == host
		tls := other.Spec.GetTrafficPolicy().GetTls()
		switch {
		case sameHost && other.Namespace == dr.Namespace && setsTLS(other.Spec):
			return nil
		case sameHost, !strings.HasPrefix(other.Spec.GetHost(), "*"), tls.GetMode() != networking.ClientTLSSettings_ISTIO_MUTUAL, wider != nil:
		case replaces(p, dr, other, service):
			wider = other
		}
	}
	return wider
}

// replaces says whether some namespace's clients get dr that would else get the
// wider rule for a host of the namespace service.
func replaces(p *analyze.Pass, dr, wider rule, service string) bool {
	return slices.ContainsFunc(append(audience(dr, wider), service), func(client string) bool {
		first, then := place(p, dr, client, service), place(p, wider, client, service)
		return first > 0 && first <= then
	})
}

// place is where clients of a namespace find a rule: 1 in their own namespace,
// 2 in that of the host, 3 in the root namespace, 0 nowhere. They stop at the
// first place that has one. Those of the root namespace have as their own only
// what is exported no further.
func place(p *analyze.Pass, r rule, client, service string) int {
	own := r.Spec.GetExportTo()
	switch {
	case !p.Visible(mesh.DestinationRule, own, r.Namespace, client):
		return 0
	case r.Namespace == client && (client != p.RootNamespace() || slices.Equal(p.ExportTo(mesh.DestinationRule, own), []string{"."})):
		return 1
	case r.Namespace == service:
		return 2
	case r.Namespace == p.RootNamespace():
		return 3
	}
	return 0
}

// setsTLS says whether a rule says anything of TLS for its host or a port.
func setsTLS(dr *networking.DestinationRule) bool {
	for _, port := range dr.GetTrafficPolicy().GetPortLevelSettings() {
		if port.GetTls() != nil {
			return true
		}
	}
	return dr.GetTrafficPolicy().GetTls() != nil
}
