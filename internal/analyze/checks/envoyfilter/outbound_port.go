package envoyfilter

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// outboundPorts are the ports on which some proxy of the mesh can have an
// outbound listener; known is false when there may be others.
func outboundPorts(p *analyze.Pass, all []patch) (ports map[uint32]bool, known bool) {
	for _, x := range all {
		if x.spec.GetApplyTo() == networking.EnvoyFilter_LISTENER && x.op() != opRemove {
			return nil, false // it may bring one
		}
	}
	if !allKnown(p, mesh.Service, mesh.ServiceEntry, mesh.Sidecar) {
		return nil, false
	}
	const virtual = 15001
	ports = registryPorts(p)
	for _, number := range []uint32{virtual, uint32(p.MeshConfig().GetProxyListenPort()), uint32(p.MeshConfig().GetProxyHttpPort())} {
		ports[number] = true
	}
	for _, sc := range p.Sidecars() {
		for _, egress := range sc.Spec.GetEgress() {
			ports[egress.GetPort().GetNumber()] = true
		}
	}
	return ports, true
}

// judgeOutbound reports a port on which no proxy has an outbound listener.
func (x patch) judgeOutbound(p *analyze.Pass, number uint32, outbound func() (map[uint32]bool, bool)) {
	if number == 0 || x.spec.GetMatch().GetContext() != networking.EnvoyFilter_SIDECAR_OUTBOUND {
		return
	}
	if ports, known := outbound(); known && !ports[number] {
		p.Report(x.atListener("portNumber"), "no listener fits: no Service or ServiceEntry of the mesh has the port %d", number).
			Suggest("match the port that clients call, not the one of the pods")
	}
}
