package peerauthentication

import (
	"fmt"
	"maps"
	"slices"

	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// PortNotOnWorkload finds settings for ports that belong to a Service, not to
// the workload. Any port may be listened on without being declared, so only a
// port that a Service maps elsewhere is surely wrong.
var PortNotOnWorkload = &analyze.Check{
	Code: "MSH0105", Name: "peer-authentication-service-port", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.PeerAuthentication, mesh.Service, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Sidecar),
	Doc: analyze.Doc{
		What: "portLevelMtls of a PeerAuthentication names a port of the Service that the workload itself does not have: the Service maps it to another.",
		Why:  "The ports of portLevelMtls are those that the workload listens on. The setting applies to nothing, and the real port keeps the mode of the workload.",
		Fix:  "Name the port that the container listens on: the Service's targetPort.",
	},
	Run: func(p *analyze.Pass) {
		ingress := ingressPorts(p)
		services := mesh.IndexSelectors(p.Services(), func(svc *core.ServiceSpec) map[string]string { return svc.Selector })
		for _, pa := range p.PeerAuthentications() {
			if len(pa.Spec.GetPortLevelMtls()) == 0 || pa.Namespace == p.RootNamespace() {
				continue
			}
			judgePorts(p, pa, services, ingress[pa.Namespace])
		}
	},
}

// ingressPorts are the ports that Sidecars open, by namespace.
func ingressPorts(p *analyze.Pass) map[string]map[uint32]bool {
	ports := map[string]map[uint32]bool{}
	for _, sc := range p.Sidecars() {
		for _, in := range sc.Spec.GetIngress() {
			if ports[sc.Namespace] == nil {
				ports[sc.Namespace] = map[uint32]bool{}
			}
			ports[sc.Namespace][in.GetPort().GetNumber()] = true
		}
	}
	return ports
}

// mapping is where a Service leads the traffic of one of its ports.
type mapping struct {
	service *mesh.Object
	index   int
	target  uint32
}

func judgePorts(p *analyze.Pass, pa policy, services *mesh.Selectors[*core.ServiceSpec], ingress map[uint32]bool) {
	own := map[uint32]bool{}
	mapped := map[uint32]mapping{}
	for _, w := range p.Select(pa.Namespace, labelsOf(pa.Spec)) {
		for _, c := range w.Pod.Containers {
			for _, port := range c.Ports {
				own[uint32(port.ContainerPort)] = true
			}
		}
		for _, svc := range services.Selecting(pa.Namespace, w.PodLabels) {
			for i, port := range svc.Spec.Ports {
				target := w.TargetPort(port)
				own[target] = true
				if _, known := mapped[uint32(port.Port)]; !known {
					mapped[uint32(port.Port)] = mapping{svc.Object, i, target}
				}
			}
		}
	}
	for _, port := range slices.Sorted(maps.Keys(pa.Spec.GetPortLevelMtls())) {
		to, known := mapped[port]
		if own[port] || own[0] || ingress[port] || !known {
			continue
		}
		p.Report(pa.AtKey("spec.portLevelMtls.%d", port), "%d is the port of a Service, which leads to port %d of the workload: the setting applies to nothing", port, to.target).
			Suggest("change it to %d", to.target).
			Evidence(to.service.At("%s", fmt.Sprintf("spec.ports[%d]", to.index)), "leads to port %d", to.target)
	}
}
