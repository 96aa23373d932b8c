package service

import (
	"cmp"
	"fmt"
	"slices"

	"istio.io/istio/pkg/config/protocol"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// PortConflict finds Services that give one port of the same pods two protocols.
var PortConflict = &analyze.Check{
	Code: "IST0116", Name: "port-protocol-conflict", Severity: analyze.Warning,
	Reads: append([]mesh.Kind{mesh.Service}, mesh.WorkloadKinds()...),
	Uses:  []mesh.Kind{mesh.Namespace},
	Doc: analyze.Doc{
		What: "Two Services lead to the same port of the same pods under the same number, and one says that the port speaks HTTP, the other that it does not. That one is TCP and the other UDP is only worth knowing.",
		Why:  "The sidecar has one listener for the port of the pod. Istio takes the protocol of the older Service for both: HTTP rules and telemetry are missing for one of them, or its bytes are taken for HTTP and refused.",
		Fix:  "Give both ports the same protocol, by name or appProtocol. Several Services for one workload are fine otherwise.",
	},
	Run: func(p *analyze.Pass) {
		protocolConflicts(p, true)
		transportConflicts(p)
	},
}

// TargetPortConflict is [PortConflict] of Services with different port numbers.
var TargetPortConflict = &analyze.Check{
	Code: "IST0137", Name: "target-port-protocol-conflict", Severity: analyze.Warning,
	Reads: append([]mesh.Kind{mesh.Service}, mesh.WorkloadKinds()...),
	Uses:  []mesh.Kind{mesh.Namespace},
	Doc: analyze.Doc{
		What: "Two Services, or two ports of one, lead from different numbers to the same port of the same pods, and one says that it speaks HTTP, the other that it does not. Different numbers alone are only worth knowing.",
		Why:  "The sidecar has one listener for the port of the pod. Istio takes the protocol of the older Service for both: HTTP rules and telemetry are missing for one of them, or its bytes are taken for HTTP and refused.",
		Fix:  "Give both ports the same protocol, by name or appProtocol. Different port numbers alone work; the sidecar only names the port after the older Service.",
	},
	Run: func(p *analyze.Pass) {
		protocolConflicts(p, false)
		severalNumbers(p)
	},
}

// endpoint is a Service's port that leads to some pods.
type endpoint struct {
	service *mesh.Resource[*core.ServiceSpec]
	index   int
	http    bool
}

func (e endpoint) port() core.ServicePort { return e.service.Spec.Ports[e.index] }

func (e endpoint) String() string {
	return fmt.Sprintf("%s (port %d, %s)", e.service.Name, e.port().Port, protocolOf(e.port()))
}

// target is a port of a workload's pods.
type target struct {
	workload *mesh.Workload
	port     int32
}

// protocolConflicts reports every pair of Services once, however many workloads
// they both select.
func protocolConflicts(p *analyze.Pass, samePort bool) {
	endpoints, order := endpointsOf(p)
	type pair struct {
		a, b *mesh.Object
		port int32
	}
	seen := map[pair]bool{}
	for _, t := range order {
		a, b, ok := conflict(endpoints[t], samePort)
		key := pair{a.object(), b.object(), t.port}
		if !ok || seen[key] || !hasSidecar(p, t.workload) {
			continue
		}
		seen[key] = true
		whose, decides := "two Services", "older one"
		if a.service.Object == b.service.Object {
			whose, decides = "two ports of a Service", "one that stands first"
		}
		p.Report(t.workload.Object.At(""), "port %d of the pods is that of %s, which disagree on its protocol: %s and %s; the %s decides for both", t.port, whose, a, b, decides).
			Evidence(a.service.At("spec.ports[%d]", a.index), "says %s", protocolOf(a.port())).
			Evidence(b.service.At("spec.ports[%d]", b.index), "says %s", protocolOf(b.port())).
			Suggest("give both ports the same appProtocol")
	}
}

// hasSidecar says whether an application's pods surely get a sidecar.
func hasSidecar(p *analyze.Pass, w *mesh.Workload) bool {
	plane := p.DataPlane(w)
	if plane == mesh.Undecided {
		p.CantTell(mesh.Namespace, "")
	}
	return plane == mesh.InSidecar && !w.IsGateway()
}

func (e endpoint) object() *mesh.Object {
	if e.service == nil {
		return nil
	}
	return e.service.Object
}

// conflict are the first HTTP port and the first other port among endpoints,
// with the same number, of different Services, or with different ones.
func conflict(all []endpoint, samePort bool) (a, b endpoint, ok bool) {
	// An index by number keeps a pod with a thousand Services from costing a million comparisons.
	byNumber := map[int32]endpoint{}
	var http, other []endpoint
	for _, e := range all {
		if e.http {
			http = append(http, e)
			byNumber[e.port().Port] = cmp.Or(byNumber[e.port().Port], e)
		} else {
			other = append(other, e)
		}
	}
	for _, b := range other {
		if samePort {
			if a := byNumber[b.port().Port]; a.service != nil && a.service.Object != b.service.Object {
				return a, b, true
			}
			continue
		}
		i := slices.IndexFunc(http, func(a endpoint) bool {
			return a.port().Port != b.port().Port
		})
		if i >= 0 && byNumber[b.port().Port].service == nil {
			return http[i], b, true
		}
	}
	return endpoint{}, endpoint{}, false
}

// endpointsOf are the ports of Services whose protocol is known, by the port of
// the pods that they lead to; and these ports in order. Pods of one Service are
// left out where its ports lead to different ones: nothing can disagree.
func endpointsOf(p *analyze.Pass) (map[target][]endpoint, []target) {
	services := map[*mesh.Workload]int{}
	for _, svc := range p.Services() {
		if selecting(svc.Spec) {
			for _, w := range p.Select(svc.Namespace, svc.Spec.Selector) {
				services[w]++
			}
		}
	}
	found := map[target][]endpoint{}
	var order []target
	for _, svc := range p.Services() {
		if !selecting(svc.Spec) {
			continue
		}
		alone := !repeatsTarget(svc.Spec)
		for _, w := range p.Select(svc.Namespace, svc.Spec.Selector) {
			if alone && services[w] < 2 {
				continue
			}
			for i, port := range svc.Spec.Ports {
				proto := protocolOf(port)
				number := targetPort(w, port)
				if number == 0 || proto == protocol.UDP || proto == protocol.Unsupported || (port.Protocol != "" && port.Protocol != core.ProtocolTCP) {
					continue
				}
				t := target{w, number}
				if found[t] == nil {
					order = append(order, t)
				}
				found[t] = append(found[t], endpoint{svc, i, proto.IsHTTP()})
			}
		}
	}
	return found, order
}

// repeatsTarget says whether several ports of a Service may lead to one of the pods'.
func repeatsTarget(svc *core.ServiceSpec) bool {
	targets := map[intstr.IntOrString]bool{}
	for _, port := range svc.Ports {
		if port.TargetPort == (intstr.IntOrString{}) {
			port.TargetPort = intstr.FromInt32(port.Port)
		}
		if targets[port.TargetPort] {
			return true
		}
		targets[port.TargetPort] = true
	}
	return false
}

func selecting(svc *core.ServiceSpec) bool {
	return len(svc.Selector) > 0 && svc.Type != core.ServiceTypeExternalName
}

// targetPort is the port of the pods that a Service's port leads to; 0 when it
// names none of theirs.
func targetPort(w *mesh.Workload, port core.ServicePort) int32 {
	switch {
	case port.TargetPort.Type == intstr.String:
		for _, c := range w.Pod.Containers {
			for _, cp := range c.Ports {
				if cp.Name == port.TargetPort.StrVal {
					return cp.ContainerPort
				}
			}
		}
		return 0
	case port.TargetPort.IntVal != 0:
		return port.TargetPort.IntVal
	}
	return port.Port
}
