package ambient

import (
	"slices"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// lack is why a rule for a host is not applied to ambient clients.
type lack int

const (
	nothing lack = iota
	noWaypoint
	notEnrolled
	outOfPlace
)

// hosts answers questions about hosts in ambient mode, once for each.
type hosts struct {
	*analyze.Pass
	ambient  map[*mesh.Object]bool
	sidecars map[string]bool // the namespaces with sidecars
	// waypoints are the first waypoint for Services of each namespace.
	waypoints map[string]*mesh.Resource[*gatewayapi.GatewaySpec]
}

func newHosts(p *analyze.Pass) hosts {
	h := hosts{p, map[*mesh.Object]bool{}, map[string]bool{}, map[string]*mesh.Resource[*gatewayapi.GatewaySpec]{}}
	for _, gw := range p.KubernetesGateways() {
		if gw.Spec.GatewayClassName != mesh.WaypointClass || h.waypoints[gw.Namespace] != nil {
			continue
		}
		if serves := p.WaypointServes(gw); serves == mesh.ServiceTraffic || serves == mesh.AllTraffic {
			h.waypoints[gw.Namespace] = gw
		}
	}
	for _, w := range p.Workloads() {
		if plane := p.DataPlane(w); !w.IsGateway() && (plane == mesh.InSidecar || plane == mesh.Undecided) {
			h.sidecars[w.Object.Namespace] = true
		}
	}
	return h
}

// isAmbient says whether a host's traffic is ztunnel's: its namespace is in
// ambient mode, and so is some workload behind it, if the input holds any.
func (h hosts) isAmbient(o *mesh.Host) bool {
	if !h.IsAmbientNamespace(o.Object.Namespace) || o.Object.Labels["gateway.istio.io/managed"] != "" {
		return false
	}
	ambient, known := h.ambient[o.Object]
	if !known {
		ambient = h.workloadsAmbient(o)
		h.ambient[o.Object] = ambient
	}
	return ambient
}

func (h hosts) workloadsAmbient(o *mesh.Host) bool {
	if len(o.Selector) == 0 {
		return true
	}
	workloads := h.Select(o.Object.Namespace, o.Selector)
	return len(workloads) == 0 || slices.ContainsFunc(workloads, func(w *mesh.Workload) bool {
		return h.DataPlane(w) == mesh.InAmbient && !w.IsGateway()
	})
}

// lackOf is why a rule of namespace home is not applied to ambient clients of a host.
// Rules count in the host's namespace, in the waypoint's and in those of extra.
func (h hosts) lackOf(o *mesh.Host, home string, extra ...string) (lack, mesh.WaypointBinding) {
	b := h.ServiceWaypoint(o.Object)
	switch b.State {
	case mesh.BindingUnknown:
		h.CantTell(mesh.KubernetesGateway, b.Namespace)
	case mesh.Unbound:
		if b.OptedOut || h.usesWaypoint(o.Object.Namespace) {
			return notEnrolled, b
		}
		return noWaypoint, b
	case mesh.Bound:
		if home != o.Object.Namespace && home != b.Namespace && !slices.Contains(extra, home) {
			return outOfPlace, b
		}
	}
	return nothing, b // what is wrong with a waypoint is for unusable-waypoint
}

// usesWaypoint says whether a namespace has a waypoint that some of it may use.
func (h hosts) usesWaypoint(namespace string) bool {
	if h.waypoints[namespace] != nil {
		return true
	}
	return h.NamespaceWaypoint(namespace).Name != ""
}

// anySidecar says whether clients with sidecars see an object with this exportTo.
func (h hosts) anySidecar(kind mesh.Kind, exportTo []string, home string) bool {
	exportTo = h.ExportTo(kind, exportTo)
	if len(exportTo) == 0 {
		return len(h.sidecars) > 0
	}
	for _, e := range exportTo {
		if e == "*" && len(h.sidecars) > 0 || e == "." && h.sidecars[home] || h.sidecars[e] {
			return true
		}
	}
	return false
}

// serviceKinds are the kinds that lackOf and isAmbient ask for, but for those
// that a check cannot do without.
func serviceKinds() []mesh.Kind {
	return append(mesh.WorkloadKinds(), mesh.ServiceEntry, mesh.KubernetesGateway, mesh.GatewayClass)
}

// suggestEnrolment suggests how a host gets a waypoint.
func (h hosts) suggestEnrolment(f *analyze.Finding, why lack, o *mesh.Host, b mesh.WaypointBinding) {
	namespace := o.Object.Namespace
	if why == noWaypoint {
		f.Suggest("create a Gateway of class %s in namespace %q and label the namespace or %s %s=<its name>", mesh.WaypointClass, namespace, o.Object.Ref, mesh.UseWaypointLabel)
		return
	}
	if b.OptedOut {
		f.Suggest("remove the label %s=none", mesh.UseWaypointLabel).Evidence(b.Label, "opts out of the waypoint")
		return
	}
	if gw := h.waypoints[namespace]; gw != nil {
		f.Suggest("label %s %s=%s", o.Object.Ref, mesh.UseWaypointLabel, gw.Name).Evidence(gw.At(""), "is a waypoint of the namespace")
	}
}
