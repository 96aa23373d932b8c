package ambient

import (
	"strings"

	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// PolicyWithoutWaypoint finds AuthorizationPolicies about HTTP that only ztunnel enforces.
var PolicyWithoutWaypoint = &analyze.Check{
	Code: "MSH0401", Name: "http-policy-without-waypoint", Severity: analyze.Warning, KIA: "KIA0109",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Namespace, mesh.Pod},
	Uses:  policyKinds(),
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy has HTTP attributes (methods, paths, hosts, request principals, headers) or action CUSTOM, and applies to workloads in ambient mode that have no waypoint.",
		Why:  "ztunnel enforces such a policy on the level of connections. A rule of an ALLOW policy with HTTP attributes matches nothing there, so what it should let in is refused; a DENY policy is enforced without them, so it refuses more than it says; CUSTOM is not enforced at all.",
		Fix:  "Give the namespace a waypoint and attach the policy to it with targetRefs, or use only what ztunnel knows: principals, namespaces, service accounts, IP addresses and ports.",
	},
	Run: func(p *analyze.Pass) {
		eachHTTPPolicy(p, func(ap *mesh.Resource[*security.AuthorizationPolicy], r reach, bad httpPart) {
			if r.hasWaypoint() {
				return
			}
			f := p.Report(ap.At("%s", bad.path), "ztunnel enforces the policy for %s, which has no waypoint: %s", r.called(ap.Namespace), bad.consequence(ap))
			addWaypoint(f, homeOf(ap.Object, r), "attach the policy to it with targetRefs")
		})
	},
}

// PolicyWithoutTarget finds such policies where a waypoint would enforce them if told to.
var PolicyWithoutTarget = &analyze.Check{
	Code: "MSH0402", Name: "http-policy-without-target", Severity: analyze.Warning, KIA: "KIA0110",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Namespace, mesh.Pod},
	Uses:  policyKinds(),
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy has HTTP attributes or action CUSTOM, applies to workloads in ambient mode that have a waypoint, and has no targetRefs.",
		Why:  "Waypoints take policies by targetRefs only. A policy with a selector, or with neither, is enforced by ztunnel, which knows nothing of HTTP: rules of ALLOW policies match nothing, DENY policies refuse more than they say, CUSTOM does nothing.",
		Fix:  "Replace the selector by targetRefs that name the Service, or the waypoint's Gateway.",
	},
	Run: func(p *analyze.Pass) {
		eachHTTPPolicy(p, func(ap *mesh.Resource[*security.AuthorizationPolicy], r reach, bad httpPart) {
			if !r.hasWaypoint() {
				return
			}
			f := p.Report(ap.At("%s", bad.path), "the waypoint %q ignores the policy, which has no targetRefs, and ztunnel enforces it for %s: %s",
				r.binding.Namespace+"/"+r.binding.Name, r.called(ap.Namespace), bad.consequence(ap))
			addTarget(f, p, ap.Object, len(ap.Spec.GetSelector().GetMatchLabels()) > 0, r)
			waypointEvidence(f, r.binding)
		})
	},
}

func policyKinds() []mesh.Kind {
	return append(mesh.WorkloadKinds()[1:], mesh.Service, mesh.KubernetesGateway, mesh.GatewayClass)
}

// homeOf is the namespace that a waypoint would have to be in.
func homeOf(policy *mesh.Object, r reach) string {
	if r.ambient != nil {
		return r.ambient.Object.Namespace
	}
	return policy.Namespace
}

// eachHTTPPolicy calls f for the policies that ztunnel enforces for someone and
// that it cannot enforce as they are written.
func eachHTTPPolicy(p *analyze.Pass, f func(*mesh.Resource[*security.AuthorizationPolicy], reach, httpPart)) {
	rs := newReaches(p)
	for _, ap := range p.AuthorizationPolicies() {
		if len(ap.Spec.GetTargetRefs()) > 0 || ap.Spec.GetTargetRef() != nil || ap.Annotations["istio.io/dry-run"] == "true" {
			continue
		}
		bad := httpParts(ap.Spec)
		if len(bad.names) == 0 {
			continue
		}
		if r := rs.of(ap.Namespace, ap.Spec.GetSelector().GetMatchLabels()); r.hasAmbient() {
			f(ap, r, bad)
		}
	}
}

// consequence is what ztunnel makes of the policy.
func (part httpPart) consequence(ap *mesh.Resource[*security.AuthorizationPolicy]) string {
	names := strings.Join(part.names, ", ")
	switch ap.Spec.GetAction() {
	case security.AuthorizationPolicy_CUSTOM:
		return "it knows no action CUSTOM, so nothing asks the authorizer"
	case security.AuthorizationPolicy_DENY:
		return "it leaves out " + names + ", so the policy refuses more than it says"
	}
	return "a rule with " + names + " never matches there, so what it should let in is refused"
}
