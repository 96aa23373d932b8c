package gateway

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// PortNotOnService finds Gateway ports that clients cannot reach.
var PortNotOnService = &analyze.Check{
	Code: "IST0162", Name: "gateway-port-not-on-service", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Gateway, mesh.Service, mesh.Pod},
	Uses:  mesh.WorkloadKinds()[1:],
	Doc: analyze.Doc{
		What: "A server of a Gateway has a port that no Service of the gateway's pods has, neither as port nor as targetPort.",
		Why:  "The proxy listens there, but nothing leads to it: connections to the gateway's Service on that port are refused or time out.",
		Fix:  "Use a port of the gateway's Service, or add the port to the Service. The number is the Service's port; istiod translates it to the targetPort.",
	},
	Run: func(p *analyze.Pass) {
		reachable := ports{pass: p, of: map[*mesh.Workload]portSet{}}
		for _, gw := range p.Gateways() {
			if len(gw.Spec.GetSelector()) == 0 {
				continue // for every gateway there is
			}
			workloads := p.GatewayWorkloads(gw.Namespace, gw.Spec.GetSelector())
			for i, server := range gw.Spec.GetServers() {
				number := server.GetPort().GetNumber()
				reached := func(w *mesh.Workload) bool { return reachable.has(w, number) }
				if len(workloads) == 0 || number == 0 || !open(server) || slices.ContainsFunc(workloads, reached) {
					continue
				}
				w := workloads[0]
				f := p.Report(gw.At("spec.servers[%d].port.number", i), "no Service of %s leads to port %d", w.Object.Ref, number)
				for _, svc := range reachable.of[w].services[:min(3, len(reachable.of[w].services))] {
					f.Evidence(svc.At("spec.ports"), "selects the gateway's pods and has no such port")
				}
				f.Suggest("use a port of the Service, or add port %d to it", number)
			}
		}
	},
}

// open says whether a server listens on an address that a Service leads to.
func open(server *networking.Server) bool {
	return server.GetBind() == "" || server.GetBind() == "0.0.0.0" || server.GetBind() == "::"
}

// ports remembers which ports of a gateway's pods can be reached.
type ports struct {
	pass *analyze.Pass
	of   map[*mesh.Workload]portSet
}

type portSet struct {
	// any is true when it cannot be said: the pods share their node's network,
	// or no Service selects them.
	any      bool
	numbers  map[uint32]bool
	services []*mesh.Object
}

// has says whether a Service leads to the port of a workload, or may.
func (p ports) has(w *mesh.Workload, number uint32) bool {
	set, ok := p.of[w]
	if !ok {
		set = p.read(w)
		p.of[w] = set
	}
	return set.any || set.numbers[number]
}

func (p ports) read(w *mesh.Workload) portSet {
	set := portSet{any: w.Pod.HostNetwork, numbers: map[uint32]bool{}}
	for _, c := range w.Pod.Containers {
		for _, port := range c.Ports {
			if port.HostPort != 0 {
				set.numbers[uint32(port.ContainerPort)] = true
			}
		}
	}
	if !p.pass.KnownIn(mesh.Service, w.Object.Namespace) {
		p.pass.CantTell(mesh.Service, w.Object.Namespace)
		set.any = true
		return set
	}
	for _, svc := range p.pass.ServicesOver(w) {
		set.services = append(set.services, svc.Object)
		for _, port := range svc.Spec.Ports {
			if port.Protocol != "" && port.Protocol != core.ProtocolTCP {
				continue // gateways listen for TCP: UDP on the same number is another port
			}
			set.numbers[uint32(port.Port)] = true
			set.numbers[targetPort(port, w.Pod)] = true
		}
	}
	set.any = set.any || len(set.services) == 0
	return set
}

// targetPort is the pod's port that a Service's port leads to; 0 when it has
// no container port of that name.
func targetPort(port core.ServicePort, pod *core.PodSpec) uint32 {
	if n := port.TargetPort.IntValue(); n != 0 {
		return uint32(n)
	}
	for _, c := range pod.Containers {
		for _, cp := range c.Ports {
			if cp.Name != "" && cp.Name == port.TargetPort.StrVal {
				return uint32(cp.ContainerPort)
			}
		}
	}
	return 0
}
