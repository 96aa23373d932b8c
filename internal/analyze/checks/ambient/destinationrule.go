package ambient

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

var (
	// RuleWithoutWaypoint finds DestinationRules in namespaces without waypoint.
	RuleWithoutWaypoint = ruleCheck(noWaypoint, &analyze.Check{
		Code: "MSH0403", Name: "destination-rule-without-waypoint", Severity: analyze.Warning, KIA: "KIA0210",
		Doc: analyze.Doc{
			What: "A DestinationRule with a traffic policy is for a host in ambient mode, in a namespace that has no waypoint, and no gateway leads to the host. Where clients with sidecars see the rule, they obey it, and the finding is worth knowing only.",
			Why:  "ztunnel reads no DestinationRules: load balancing, connection pools, outlier detection and TLS are not as the rule says.",
			Fix:  "Give the namespace or the Service a waypoint, or remove the rule.",
		},
	})

	// RuleNotEnrolled finds DestinationRules for Services that go without the
	// waypoint that their namespace has.
	RuleNotEnrolled = ruleCheck(notEnrolled, &analyze.Check{
		Code: "MSH0404", Name: "destination-rule-host-not-enrolled", Severity: analyze.Warning, KIA: "KIA0211",
		Doc: analyze.Doc{
			What: "A DestinationRule with a traffic policy is for a host in ambient mode that uses no waypoint, though its namespace has one, and no gateway leads to the host.",
			Why:  "ztunnel reads no DestinationRules: load balancing, connection pools, outlier detection and TLS are not as the rule says.",
			Fix:  "Label the Service or its namespace istio.io/use-waypoint with the waypoint's name.",
		},
	})

	// RuleOutOfPlace finds DestinationRules in namespaces that the waypoint does
	// not look at.
	RuleOutOfPlace = ruleCheck(outOfPlace, &analyze.Check{
		Code: "MSH0405", Name: "destination-rule-out-of-place", Severity: analyze.Warning, KIA: "KIA0212",
		Doc: analyze.Doc{
			What: "A DestinationRule in an ambient namespace is for a host whose waypoint does not look there: it reads the rules of its own namespace, of the host's and of the root namespace.",
			Why:  "With sidecars, clients have rules of their own for other teams' Services. Ambient clients have no proxy that would read them: the rule does nothing.",
			Fix:  "Move the rule to the namespace of the Service.",
		},
	})
)

// ruleCheck is the check for one lack.
func ruleCheck(want lack, c *analyze.Check) *analyze.Check {
	c.Reads = []mesh.Kind{mesh.DestinationRule, mesh.Service, mesh.Namespace}
	c.Uses = append(serviceKinds(), mesh.VirtualService, mesh.HTTPRoute, mesh.GRPCRoute, mesh.TLSRoute, mesh.TCPRoute)
	c.Run = func(p *analyze.Pass) { destinationRules(p, want) }
	return c
}

func destinationRules(p *analyze.Pass, want lack) {
	h := newHosts(p)
	led := gatewayHosts(p)
	for _, dr := range p.DestinationRules() {
		feature := trafficFeature(dr.Spec)
		fqdn := p.FQDN(dr.Spec.GetHost(), dr.Namespace)
		if feature == "" || led[fqdn] {
			continue
		}
		for _, o := range p.Registry().Lookup(fqdn, dr.Namespace) {
			if !h.isAmbient(o) {
				continue
			}
			why, b := h.lackOf(o, dr.Namespace, p.RootNamespace())
			if why != want || why == outOfPlace && !p.IsAmbientNamespace(dr.Namespace) {
				continue
			}
			f := p.Report(dr.At("%s", feature), "%s: the rule is not applied to ambient clients%s",
				virtualServiceReason(why, o, b), h.butSidecars(mesh.DestinationRule, dr.Spec.GetExportTo(), dr.Namespace))
			if why == outOfPlace {
				f.Suggest("move the DestinationRule to namespace %q", o.Object.Namespace)
				waypointEvidence(f, b)
			} else {
				h.suggestEnrolment(f, why, o, b)
			}
			if h.anySidecar(mesh.DestinationRule, dr.Spec.GetExportTo(), dr.Namespace) {
				f.As(analyze.Info)
			}
			break
		}
	}
}

// gatewayHosts are the hosts that gateways send traffic to: these read
// DestinationRules whatever the data plane behind them.
func gatewayHosts(p *analyze.Pass) map[string]bool {
	led := map[string]bool{}
	for _, vs := range p.VirtualServices() {
		if len(mesh.GatewayNames(vs.Spec, vs.Namespace)) > 0 {
			for _, r := range mesh.Routes(vs.Spec) {
				led[p.FQDN(r.Destination.GetHost(), vs.Namespace)] = true
			}
		}
	}
	for _, route := range p.KubernetesRoutes() {
		if !route.ForGateways() {
			continue
		}
		for _, b := range route.Backends {
			namespace := route.Namespace
			if b.Ref.Namespace != nil && *b.Ref.Namespace != "" {
				namespace = string(*b.Ref.Namespace)
			}
			led[p.FQDN(string(b.Ref.Name), namespace)] = true
		}
	}
	return led
}

// trafficFeature is the first field of a rule that ztunnel would have to obey;
// empty when there is none. mTLS is ztunnel's own affair.
func trafficFeature(dr *networking.DestinationRule) string {
	if field := policyFeature(dr.GetTrafficPolicy()); field != "" {
		return "spec.trafficPolicy." + field
	}
	for _, subset := range dr.GetSubsets() {
		if policyFeature(subset.GetTrafficPolicy()) != "" {
			return "spec.subsets"
		}
	}
	return ""
}

func policyFeature(tp *networking.TrafficPolicy) string {
	mode := tp.GetTls().GetMode()
	switch {
	case tp.GetLoadBalancer() != nil:
		return "loadBalancer"
	case tp.GetConnectionPool() != nil:
		return "connectionPool"
	case tp.GetOutlierDetection() != nil:
		return "outlierDetection"
	case mode == networking.ClientTLSSettings_SIMPLE, mode == networking.ClientTLSSettings_MUTUAL:
		return "tls"
	case len(tp.GetPortLevelSettings()) > 0:
		return "portLevelSettings"
	}
	return ""
}
