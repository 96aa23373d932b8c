package virtualservice

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// PortRequired finds routes to hosts with several ports that name none of them.
var PortRequired = &analyze.Check{
	Code: "IST0112", Name: "destination-port-required", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.VirtualService, mesh.Service, mesh.ServiceEntry},
	Uses:  []mesh.Kind{mesh.Gateway},
	Doc: analyze.Doc{
		What: "A route names no port of a destination that has several. Where the request's own port is one of them it is only worth knowing.",
		Why:  "The port is then that on which the request came, of the Gateway's server or of the host that was called. Where the destination has no such port, requests fail with 503 (response flag NC).",
		Fix:  "Name the port: destination.port.number.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			var arrivals *arrivals
			for _, r := range mesh.Routes(vs.Spec) {
				hosts := portHosts(p, p.FQDN(r.Destination.GetHost(), vs.Namespace))
				if r.Destination.GetPort() != nil || len(portNumbers(hosts)) < 2 || severalOnes(hosts) {
					continue
				}
				if arrivals == nil {
					arrivals = arrivalsOf(p, vs)
				}
				portRequired(p, vs.At("%s", r.Path), hosts, arrivals)
			}
		}
	},
}

// severalOnes says whether the ports are those of several ServiceEntries, each
// with one: which of them istiod takes is not for us to say.
func severalOnes(hosts []*mesh.Host) bool {
	for _, h := range hosts {
		if len(h.Ports) > 1 {
			return false
		}
	}
	return true
}

func portRequired(p *analyze.Pass, at mesh.Location, hosts []*mesh.Host, came *arrivals) {
	met := 0
	for number := range came.ports {
		if hasPort(hosts, number) {
			met++
		}
	}
	name := hosts[0].Object.Ref
	var f *analyze.Finding
	if met > 0 || came.unknown || len(came.ports) == 0 {
		f = p.Report(at, "%s has several ports (%s): without one here it is the request's own", name, portList(hosts)).As(analyze.Info)
	} else {
		f = p.Report(at, "%s has several ports (%s), and none of them is that of the request: name one", name, portList(hosts))
	}
	f.Evidence(hosts[0].Object.At("spec.ports"), "answers for the host").
		Suggest(`add "port: {number: %d}", or another of them`, hosts[0].Ports[0].Number)
}

// arrivals are the ports on which requests for a VirtualService come.
type arrivals struct {
	ports   map[uint32]bool
	unknown bool // there may be more
}

func arrivalsOf(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService]) *arrivals {
	a := &arrivals{ports: map[uint32]bool{}}
	if len(vs.Spec.GetHosts()) == 0 {
		a.unknown = true // a delegate: those of whoever delegates to it
		return a
	}
	if mesh.InMesh(vs.Spec) {
		for _, host := range vs.Spec.GetHosts() {
			known := p.Registry().All(p.FQDN(host, vs.Namespace))
			a.unknown = a.unknown || len(known) == 0
			for _, number := range portNumbers(known) {
				a.ports[number] = true
			}
		}
	}
	for _, name := range mesh.GatewayNames(vs.Spec, vs.Namespace) {
		gw := mesh.As[*networking.Gateway](p.Get(mesh.Gateway, name.Namespace, name.Name))
		if gw == nil {
			a.unknown = true
			continue
		}
		for _, server := range gw.Spec.GetServers() {
			a.ports[server.GetPort().GetNumber()] = true
		}
	}
	return a
}
