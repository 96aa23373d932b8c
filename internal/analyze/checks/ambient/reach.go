package ambient

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// reach is what a policy without targetRefs applies to.
type reach struct {
	// ambient is the first workload in ambient mode; nil when there is none.
	ambient *mesh.Workload
	// assumed is true for a namespace in ambient mode of which the input holds
	// no workloads.
	assumed bool
	// proxied is true when some workload has, or may have, a proxy of its own
	// that obeys the policy: a sidecar or a gateway.
	proxied bool
	binding mesh.WaypointBinding
}

// hasAmbient says whether ztunnel stands before some of it.
func (r reach) hasAmbient() bool { return r.ambient != nil || r.assumed }

// hasWaypoint says whether some of it has a waypoint, or names one that the
// input does not hold.
func (r reach) hasWaypoint() bool {
	return r.binding.Name != "" && (r.binding.State == mesh.Bound || r.binding.State == mesh.BindingUnknown)
}

// called is what the policy applies to, for messages.
func (r reach) called(namespace string) string {
	if r.ambient == nil {
		return `namespace "` + namespace + `"`
	}
	return r.ambient.Object.String()
}

// reaches remembers the reach of whole namespaces.
type reaches struct {
	*analyze.Pass
	whole map[string]reach
}

func newReaches(p *analyze.Pass) reaches { return reaches{p, map[string]reach{}} }

// of is the reach of a selector in a policy's namespace; in the root namespace
// it is the whole mesh.
func (rs reaches) of(namespace string, selector map[string]string) reach {
	scope := namespace
	if namespace == rs.RootNamespace() {
		scope = ""
	}
	if len(selector) > 0 {
		return rs.read(scope, selector)
	}
	r, known := rs.whole[scope]
	if !known {
		r = rs.read(scope, nil)
		rs.whole[scope] = r
	}
	return r
}

func (rs reaches) read(scope string, selector map[string]string) reach {
	var r reach
	selected := rs.Select(scope, selector)
	for _, w := range selected {
		plane := rs.DataPlane(w)
		switch {
		case w.IsGateway(), plane == mesh.InSidecar, plane == mesh.Undecided:
			r.proxied = true
		case plane == mesh.InAmbient && (r.ambient == nil || !r.hasWaypoint()):
			// One that names a waypoint says more than one that does not.
			if b := rs.enrolment(w); r.ambient == nil || b.Name != "" && !b.OptedOut {
				r.ambient, r.binding = w, b
			}
		}
	}
	if scope == "" || !rs.IsAmbientNamespace(scope) {
		return r
	}
	if len(selected) == 0 && !forGateway(selector) && !rs.KnowsWorkloads(scope) {
		r.assumed, r.binding = true, rs.NamespaceWaypoint(scope)
	}
	if len(selector) == 0 && r.hasAmbient() && rs.hasGateway(scope) {
		r.proxied = true
	}
	return r
}

// forGateway says whether a selector is one for gateways, by the labels that
// istiod or Istio's charts give them.
func forGateway(selector map[string]string) bool {
	return selector[mesh.GatewayNameLabel] != "" || selector["istio"] != ""
}

// hasGateway says whether a Gateway that is no waypoint lives in a namespace:
// its pods obey policies without selector.
func (rs reaches) hasGateway(namespace string) bool {
	for _, gw := range mesh.InNamespace(rs.KubernetesGateways(), namespace) {
		if gw.Spec.GatewayClassName != mesh.WaypointClass {
			return true
		}
	}
	return false
}

// enrolment is the waypoint for a workload: of a Service over it, or its own.
// The input may hold no Service; then it is what the namespace names.
func (rs reaches) enrolment(w *mesh.Workload) mesh.WaypointBinding {
	over := rs.ServicesOver(w)
	for _, svc := range over {
		if b := rs.ServiceWaypoint(svc.Object); b.Name != "" && !b.OptedOut {
			return b
		}
	}
	own := rs.WorkloadWaypoint(w)
	if own.State == mesh.Unbound && !own.OptedOut && len(over) == 0 {
		return rs.NamespaceWaypoint(w.Object.Namespace)
	}
	return own
}

// addWaypoint suggests how to give a namespace a waypoint.
func addWaypoint(f *analyze.Finding, namespace, then string) {
	f.Suggest("create a Gateway of class %s in namespace %q, label the namespace %s=<its name>, and %s", mesh.WaypointClass, namespace, mesh.UseWaypointLabel, then)
}

// addTarget suggests the targetRefs that make a waypoint take a policy: those of
// a Service for a policy that selects, else those of the waypoint. Both must be
// in the policy's own namespace.
func addTarget(f *analyze.Finding, p *analyze.Pass, policy *mesh.Object, selects bool, r reach) {
	if selects && r.ambient != nil && r.ambient.Object.Namespace == policy.Namespace {
		for _, svc := range p.ServicesOver(r.ambient) {
			f.Suggest(`replace the selector by targetRefs: [{group: "", kind: Service, name: %s}]`, svc.Name)
			return
		}
	}
	if r.binding.Namespace == policy.Namespace {
		f.Suggest("use targetRefs: [{group: %s, kind: Gateway, name: %s}]", mesh.KubernetesGateway.Group, r.binding.Name)
		return
	}
	f.Suggest("use targetRefs that name the Services it is for")
}

// waypointEvidence shows what names the waypoint.
func waypointEvidence(f *analyze.Finding, b mesh.WaypointBinding) {
	if b.Label.Object != nil {
		f.Evidence(b.Label, "names the waypoint %q", b.Namespace+"/"+b.Name)
	}
}
