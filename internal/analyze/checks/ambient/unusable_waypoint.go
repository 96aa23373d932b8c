package ambient

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnusableWaypoint finds labels that name a waypoint that is not there or does not fit.
var UnusableWaypoint = &analyze.Check{
	Code: "MSH0417", Name: "unusable-waypoint", Severity: analyze.Error, KIA: "KIA1313",
	Reads: []mesh.Kind{mesh.KubernetesGateway, mesh.Namespace},
	Uses:  append(mesh.WorkloadKinds(), mesh.Service, mesh.ServiceEntry, mesh.GatewayClass),
	Doc: analyze.Doc{
		What: "The label istio.io/use-waypoint of a Namespace, Service, ServiceEntry or pod names a Gateway that is not there, that is no waypoint, that is not shared with the namespace, or that serves something else: waypoints serve Services unless istio.io/waypoint-for says otherwise.",
		Why:  "There is no waypoint on the way: ztunnel connects callers directly, and no policy about requests is enforced, nor any route obeyed.",
		Fix:  "Correct the name, or the label istio.io/waypoint-for of the waypoint. A waypoint of another namespace takes istio.io/use-waypoint-namespace, and allowedRoutes on its listener.",
	},
	Run: func(p *analyze.Pass) {
		for _, ns := range p.Namespaces() {
			unusable(p, ns, p.NamespaceWaypoint(ns.Name))
		}
		for _, kind := range []mesh.Kind{mesh.Service, mesh.ServiceEntry} {
			for _, o := range p.Objects(kind) {
				if o.Labels[mesh.UseWaypointLabel] != "" {
					unusable(p, o, p.ServiceWaypoint(o))
				}
			}
		}
		for _, w := range p.Workloads() {
			if w.PodLabels[mesh.UseWaypointLabel] != "" {
				unusable(p, w.Object, p.WorkloadWaypoint(w))
			}
		}
	},
}

func unusable(p *analyze.Pass, o *mesh.Object, b mesh.WaypointBinding) {
	switch b.State {
	case mesh.BindingUnknown:
		p.CantTell(mesh.KubernetesGateway, b.Namespace)
	case mesh.WaypointMissing:
		f := p.Report(b.Label, "there is no waypoint %q in namespace %q", b.Name, b.Namespace)
		p.Advise(func() { suggestWaypoint(p, f, o, b) })
	case mesh.WaypointUnfit:
		p.Report(b.Label, "Gateway %q %s", b.Namespace+"/"+b.Name, b.Problem).
			Suggest("%s", remedy(p, o, b)).
			Evidence(b.Gateway.At(""), "is what the label names")
	}
}

// remedy is what to do about a Gateway that does not fit.
func remedy(p *analyze.Pass, o *mesh.Object, b mesh.WaypointBinding) string {
	wanted := mesh.AllTraffic
	if o.Kind == mesh.Service || o.Kind == mesh.ServiceEntry {
		wanted = mesh.ServiceTraffic
	}
	serves := p.WaypointServes(b.Gateway)
	switch {
	case mesh.IsIngressClass(b.Gateway.Spec.GatewayClassName):
		return "name a Gateway of class " + mesh.WaypointClass
	case serves == mesh.NoTraffic, serves != mesh.AllTraffic && serves != wanted && o.Kind != mesh.Namespace:
		return "label the waypoint " + mesh.WaypointForLabel + "=all"
	}
	return "set allowedRoutes.namespaces.from: All on the waypoint's listener, or a selector that picks the namespace"
}

// suggestWaypoint names the waypoint that was probably meant.
func suggestWaypoint(p *analyze.Pass, f *analyze.Finding, o *mesh.Object, b mesh.WaypointBinding) {
	p.Advise(func() {
		home := ""
		var here []string
		for _, gw := range p.KubernetesGateways() {
			switch {
			case gw.Spec.GatewayClassName != mesh.WaypointClass:
			case gw.Namespace == b.Namespace:
				here = append(here, gw.Name)
			case gw.Name == b.Name && home == "":
				home = gw.Namespace
			}
		}
		if best := hint.Closest(b.Name, here); best != "" {
			f.Suggest("change it to %q", best)
		} else if home != "" {
			f.Suggest("add the label %s=%s to %s", mesh.UseWaypointNamespaceLabel, home, o.Ref)
		}
	})
}
