package envoyfilter

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// clusterOfOthers reports the name of a cluster that the context has not.
func (x patch) clusterOfOthers(p *analyze.Pass) bool {
	name, context := x.spec.GetMatch().GetCluster().GetName(), x.spec.GetMatch().GetContext()
	if x.spec.GetApplyTo() != networking.EnvoyFilter_CLUSTER || x.op() == opAdd {
		return false
	}
	inbound, outbound := strings.HasPrefix(name, "inbound|"), strings.HasPrefix(name, "outbound|")
	right := ""
	switch {
	case inbound && context == networking.EnvoyFilter_SIDECAR_OUTBOUND, inbound && context == networking.EnvoyFilter_GATEWAY:
		right = "SIDECAR_INBOUND"
	case outbound && context == networking.EnvoyFilter_SIDECAR_INBOUND:
		right = "SIDECAR_OUTBOUND"
	default:
		return false
	}
	p.Report(x.filter.At("spec.configPatches[%d].match.cluster.name", x.index), "no cluster fits: in the context %s none is called %q", context, name).
		Suggest("change the context to %s", right)
	return true
}

// judgePort reports a port that no host of the mesh has.
func (c clusterMatch) judgePort(p *analyze.Pass, ports func() map[uint32]bool) {
	if allKnown(p, mesh.Service, mesh.ServiceEntry) && !ports()[c.port] {
		p.Report(c.atPort, "no cluster fits: no Service or ServiceEntry of the mesh has the port %d", c.port).
			Suggest("match the port that clients call, not the one of the pods")
	}
}

// registryPorts are the ports of all Services and ServiceEntries.
func registryPorts(p *analyze.Pass) map[uint32]bool {
	ports := map[uint32]bool{}
	for _, svc := range p.Services() {
		for _, port := range svc.Spec.Ports {
			ports[uint32(port.Port)] = true
		}
	}
	for _, se := range p.ServiceEntries() {
		for _, port := range se.Spec.GetPorts() {
			ports[port.GetNumber()] = true
		}
	}
	return ports
}
