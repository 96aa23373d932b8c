package ambient

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

var (
	// VirtualServiceWithoutWaypoint finds VirtualServices in namespaces without waypoint.
	VirtualServiceWithoutWaypoint = virtualServiceCheck(noWaypoint, &analyze.Check{
		Code: "MSH0406", Name: "virtual-service-without-waypoint", Severity: analyze.Warning, KIA: "KIA1109",
		Doc: analyze.Doc{
			What: "A VirtualService for traffic inside the mesh has a host in ambient mode, in a namespace that has no waypoint. Where clients with sidecars see the VirtualService, they obey it, and the finding is worth knowing only.",
			Why:  "In ambient mode the waypoint routes. ztunnel connects the client straight to the Service: routes, weights, retries, timeouts and faults do nothing.",
			Fix:  "Give the namespace or the Service a waypoint, or remove the VirtualService.",
		},
	})

	// VirtualServiceNotEnrolled finds VirtualServices for Services that go without
	// the waypoint that their namespace has.
	VirtualServiceNotEnrolled = virtualServiceCheck(notEnrolled, &analyze.Check{
		Code: "MSH0407", Name: "virtual-service-host-not-enrolled", Severity: analyze.Warning, KIA: "KIA1113",
		Doc: analyze.Doc{
			What: "A VirtualService for traffic inside the mesh has a host in ambient mode that uses no waypoint, though its namespace has one.",
			Why:  "In ambient mode the waypoint routes. ztunnel connects the client straight to the Service: routes, weights, retries, timeouts and faults do nothing.",
			Fix:  "Label the Service or its namespace istio.io/use-waypoint with the waypoint's name.",
		},
	})

	// VirtualServiceOutOfPlace finds VirtualServices in namespaces that the
	// waypoint does not look at.
	VirtualServiceOutOfPlace = virtualServiceCheck(outOfPlace, &analyze.Check{
		Code: "MSH0408", Name: "virtual-service-out-of-place", Severity: analyze.Warning, KIA: "KIA1114",
		Doc: analyze.Doc{
			What: "A VirtualService for a host with a waypoint lives neither in the host's namespace nor in the waypoint's.",
			Why:  "A waypoint takes VirtualServices from these namespaces only: whoever owns the Service decides about its traffic. The VirtualService does nothing for ambient clients.",
			Fix:  "Move the VirtualService to the namespace of the Service.",
		},
	})
)

// virtualServiceCheck is the check for one lack.
func virtualServiceCheck(want lack, c *analyze.Check) *analyze.Check {
	c.Reads = []mesh.Kind{mesh.VirtualService, mesh.Service, mesh.Namespace}
	c.Uses = serviceKinds()
	c.Run = func(p *analyze.Pass) { virtualServices(p, want) }
	return c
}

func virtualServices(p *analyze.Pass, want lack) {
	h := newHosts(p)
	for _, vs := range p.VirtualServices() {
		if !mesh.InMesh(vs.Spec) {
			continue
		}
		for i, name := range vs.Spec.GetHosts() {
			for _, o := range p.Registry().Lookup(p.FQDN(name, vs.Namespace), vs.Namespace) {
				if !h.isAmbient(o) {
					continue
				}
				why, b := h.lackOf(o, vs.Namespace)
				if why != want {
					continue
				}
				f := p.Report(vs.At("spec.hosts[%d]", i), "%s: the VirtualService is not applied to ambient clients%s",
					virtualServiceReason(why, o, b), h.butSidecars(mesh.VirtualService, vs.Spec.GetExportTo(), vs.Namespace))
				if why == outOfPlace {
					f.Suggest("move the VirtualService to namespace %q", o.Object.Namespace)
					waypointEvidence(f, b)
				} else {
					h.suggestEnrolment(f, why, o, b)
				}
				if h.anySidecar(mesh.VirtualService, vs.Spec.GetExportTo(), vs.Namespace) {
					f.As(analyze.Info)
				}
				break
			}
		}
	}
}

// butSidecars says to whom a rule is applied all the same, if to anyone.
func (h hosts) butSidecars(kind mesh.Kind, exportTo []string, home string) string {
	if h.anySidecar(kind, exportTo, home) {
		return ", only to those with sidecars"
	}
	return ""
}

func virtualServiceReason(why lack, o *mesh.Host, b mesh.WaypointBinding) string {
	switch why {
	case noWaypoint:
		return `namespace "` + o.Object.Namespace + `" has no waypoint`
	case notEnrolled:
		return o.Object.String() + " uses no waypoint"
	}
	return `the waypoint "` + b.Namespace + "/" + b.Name + `" of ` + o.Object.String() + " does not look into this namespace"
}
