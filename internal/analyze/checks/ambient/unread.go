package ambient

import (
	typev1beta1 "istio.io/api/type/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// attachable is a spec that is attached by a selector or to targets.
type attachable interface {
	GetSelector() *typev1beta1.WorkloadSelector
	GetTargetRefs() []*typev1beta1.PolicyTargetReference
}

// hasTargets says whether an object names targets, in either of the two fields.
func hasTargets[T attachable](r *mesh.Resource[T]) bool {
	if old, ok := any(r.Spec).(interface {
		GetTargetRef() *typev1beta1.PolicyTargetReference
	}); ok && old.GetTargetRef() != nil {
		return true
	}
	return len(r.Spec.GetTargetRefs()) > 0
}

// unread calls f for objects of a kind that only Envoys read, have no targets,
// and apply to workloads that are all in ambient mode.
func unread[T attachable](rs reaches, list []*mesh.Resource[T], f func(o *mesh.Object, at mesh.Location, selects bool, r reach)) {
	for _, res := range list {
		if hasTargets(res) {
			continue
		}
		labels := res.Spec.GetSelector().GetMatchLabels()
		r := rs.of(res.Namespace, labels)
		if !r.hasAmbient() || r.proxied {
			continue
		}
		at := res.At("")
		if len(labels) > 0 {
			at = res.At("spec.selector.matchLabels")
		}
		f(res.Object, at, len(labels) > 0, r)
	}
}

// withoutWaypoint reports objects that nothing reads for want of a waypoint. The
// mesh's defaults in the root namespace are for whatever is there one day.
func withoutWaypoint[T attachable](rs reaches, list []*mesh.Resource[T], consequence string) {
	unread(rs, list, func(o *mesh.Object, at mesh.Location, selects bool, r reach) {
		if r.hasWaypoint() || o.Namespace == rs.RootNamespace() && !selects {
			return
		}
		f := rs.Report(at, "%s has no waypoint, and ztunnel reads no %s: %s", r.called(o.Namespace), o.Kind.Kind, consequence)
		addWaypoint(f, homeOf(o, r), "attach the "+o.Kind.Kind+" to it with targetRefs")
	})
}

// withoutTarget reports objects that a waypoint ignores. When wide, waypoints
// take those without selector.
func withoutTarget[T attachable](rs reaches, list []*mesh.Resource[T], wide bool, consequence string) {
	unread(rs, list, func(o *mesh.Object, at mesh.Location, selects bool, r reach) {
		if !r.hasWaypoint() || wide && !selects {
			return
		}
		f := rs.Report(at, "the waypoint %q ignores the %s, which has no targetRefs: %s", r.binding.Namespace+"/"+r.binding.Name, o.Kind.Kind, consequence)
		addTarget(f, rs.Pass, o, selects, r)
		waypointEvidence(f, r.binding)
	})
}

var (
	// AuthenticationWithoutWaypoint finds RequestAuthentications that nothing reads.
	AuthenticationWithoutWaypoint = &analyze.Check{
		Code: "MSH0409", Name: "request-authentication-without-waypoint", Severity: analyze.Warning, KIA: "KIA1110",
		Reads: []mesh.Kind{mesh.RequestAuthentication, mesh.Namespace, mesh.Pod},
		Uses:  policyKinds(),
		Doc: analyze.Doc{
			What: "A RequestAuthentication applies to workloads in ambient mode that have no waypoint.",
			Why:  "ztunnel does not look into requests: no token is verified, and no policy can rely on its claims.",
			Fix:  "Give the namespace a waypoint and attach the RequestAuthentication to it, or to its Services, with targetRefs.",
		},
		Run: func(p *analyze.Pass) {
			withoutWaypoint(newReaches(p), p.RequestAuthentications(), "no token is verified")
		},
	}

	// AuthenticationWithoutTarget finds RequestAuthentications that waypoints ignore.
	AuthenticationWithoutTarget = &analyze.Check{
		Code: "MSH0410", Name: "request-authentication-without-target", Severity: analyze.Warning, KIA: "KIA1115",
		Reads: []mesh.Kind{mesh.RequestAuthentication, mesh.Namespace, mesh.Pod},
		Uses:  policyKinds(),
		Doc: analyze.Doc{
			What: "A RequestAuthentication has no targetRefs and applies to workloads in ambient mode that have a waypoint.",
			Why:  "Waypoints take it by targetRefs only, with a selector or without: no token is verified.",
			Fix:  "Replace the selector by targetRefs that name the Service, or the waypoint's Gateway.",
		},
		Run: func(p *analyze.Pass) {
			withoutTarget(newReaches(p), p.RequestAuthentications(), false, "no token is verified")
		},
	}

	// ExtensionWithoutWaypoint finds WasmPlugins and TrafficExtensions that nothing reads.
	ExtensionWithoutWaypoint = &analyze.Check{
		Code: "MSH0411", Name: "extension-without-waypoint", Severity: analyze.Warning, KIA: "KIA1111",
		Reads: []mesh.Kind{mesh.WasmPlugin, mesh.Namespace, mesh.Pod},
		Uses:  append(policyKinds(), mesh.TrafficExtension),
		Doc: analyze.Doc{
			What: "A WasmPlugin or TrafficExtension applies to workloads in ambient mode that have no waypoint.",
			Why:  "Extensions run in Envoy. ztunnel is none, so the extension runs nowhere.",
			Fix:  "Give the namespace a waypoint and attach the extension to it, or to its Services, with targetRefs.",
		},
		Run: func(p *analyze.Pass) {
			rs := newReaches(p)
			withoutWaypoint(rs, p.WasmPlugins(), "the extension runs nowhere")
			withoutWaypoint(rs, p.TrafficExtensions(), "the extension runs nowhere")
		},
	}

	// ExtensionWithoutTarget finds WasmPlugins and TrafficExtensions that waypoints ignore.
	ExtensionWithoutTarget = &analyze.Check{
		Code: "MSH0412", Name: "extension-without-target", Severity: analyze.Warning, KIA: "KIA1116",
		Reads: []mesh.Kind{mesh.WasmPlugin, mesh.Namespace, mesh.Pod},
		Uses:  append(policyKinds(), mesh.TrafficExtension),
		Doc: analyze.Doc{
			What: "A WasmPlugin or TrafficExtension has no targetRefs and applies to workloads in ambient mode that have a waypoint.",
			Why:  "Waypoints take it by targetRefs only, with a selector or without: the extension runs nowhere.",
			Fix:  "Replace the selector by targetRefs that name the Service, or the waypoint's Gateway.",
		},
		Run: func(p *analyze.Pass) {
			rs := newReaches(p)
			withoutTarget(rs, p.WasmPlugins(), false, "the extension runs nowhere")
			withoutTarget(rs, p.TrafficExtensions(), false, "the extension runs nowhere")
		},
	}

	// TelemetryWithoutWaypoint finds Telemetries that nothing reads.
	TelemetryWithoutWaypoint = &analyze.Check{
		Code: "MSH0413", Name: "telemetry-without-waypoint", Severity: analyze.Warning, KIA: "KIA1112",
		Reads: []mesh.Kind{mesh.Telemetry, mesh.Namespace, mesh.Pod},
		Uses:  policyKinds(),
		Doc: analyze.Doc{
			What: "A Telemetry applies to workloads in ambient mode that have no waypoint.",
			Why:  "ztunnel has metrics and logs of connections of its own, and reads no Telemetry: neither metrics, nor traces, nor access logs are as it says.",
			Fix:  "Give the namespace a waypoint. It takes a Telemetry without selector from the namespace, others by targetRefs.",
		},
		Run: func(p *analyze.Pass) {
			withoutWaypoint(newReaches(p), p.Telemetries(), "metrics, traces and logs are not as it says")
		},
	}

	// TelemetryWithoutTarget finds Telemetries that waypoints ignore.
	TelemetryWithoutTarget = &analyze.Check{
		Code: "MSH0414", Name: "telemetry-without-target", Severity: analyze.Warning, KIA: "KIA1117",
		Reads: []mesh.Kind{mesh.Telemetry, mesh.Namespace, mesh.Pod},
		Uses:  policyKinds(),
		Doc: analyze.Doc{
			What: "A Telemetry selects workloads in ambient mode that have a waypoint, and has no targetRefs.",
			Why:  "Waypoints ignore selectors: metrics, traces and access logs are not as it says. A Telemetry without selector is for the whole namespace, waypoint included.",
			Fix:  "Replace the selector by targetRefs that name the Service, or the waypoint's Gateway.",
		},
		Run: func(p *analyze.Pass) {
			withoutTarget(newReaches(p), p.Telemetries(), true, "metrics, traces and logs are not as it says")
		},
	}
)
