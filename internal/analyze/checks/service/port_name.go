// Package service has the checks of Services.
package service

import (
	"strings"

	"istio.io/istio/pkg/config/kube"
	"istio.io/istio/pkg/config/protocol"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// PortName finds ports whose protocol Istio has to guess.
var PortName = &analyze.Check{
	Code: "IST0118", Name: "service-port-name", Severity: analyze.Info, KIA: "KIA0601",
	Reads: []mesh.Kind{mesh.Service},
	Uses:  append(mesh.WorkloadKinds(), mesh.Namespace),
	Doc: analyze.Doc{
		What: "A port of a Service says nothing of its protocol: it has no appProtocol, and its name does not begin with a protocol that Istio knows.",
		Why:  "Proxies guess from the first bytes. That costs time on protocols where the server speaks first, and what is not recognised as HTTP gets no routing rules, no retries, no HTTP telemetry and no HTTP policies.",
		Fix:  "Set appProtocol on the port, or name it <protocol> or <protocol>-<suffix>: http, http2, https, grpc, grpc-web, tcp, tls, mongo, mysql, redis, udp.",
	},
	Run: func(p *analyze.Pass) {
		for _, svc := range p.Services() {
			if svc.Spec.Type == core.ServiceTypeExternalName || !judged(p, svc) {
				continue
			}
			for i, port := range svc.Spec.Ports {
				if port.Protocol == core.ProtocolSCTP || protocolOf(port) != protocol.Unsupported {
					continue
				}
				if port.AppProtocol != nil {
					continue // unknown-app-protocol says so
				}
				if port.Name == "" {
					p.Report(svc.At("spec.ports[%d]", i), "port %d has neither a name nor an appProtocol: Istio guesses its protocol", port.Port).
						Suggest("add appProtocol: http, or tcp, or what the port speaks")
					continue
				}
				p.Report(svc.At("spec.ports[%d].name", i), "the name %q of port %d does not begin with a protocol: Istio guesses it", port.Name, port.Port).
					Suggest("add appProtocol, or rename the port to %q or whatever it speaks", "http-"+strings.TrimPrefix(port.Name, "http"))
			}
		}
	},
}

// protocolOf is what istiod takes a port for.
func protocolOf(port core.ServicePort) protocol.Instance {
	return kube.ConvertProtocol(port.Port, port.Name, port.Protocol, port.AppProtocol)
}

// judged says whether the protocols of a Service's ports matter: it is an
// application's, and not one that runs outside the mesh.
func judged(p *analyze.Pass, svc *mesh.Resource[*core.ServiceSpec]) bool {
	if mesh.IsSystemNamespace(svc.Namespace) || svc.Namespace == p.IstioNamespace() || isIstios(svc.Labels) {
		return false
	}
	if isAPIServer(svc.Object) {
		return false // the API server
	}
	if len(svc.Spec.Selector) == 0 {
		return true
	}
	workloads := p.Select(svc.Namespace, svc.Spec.Selector)
	for _, w := range workloads {
		if w.IsGateway() || isIstios(w.PodLabels) {
			return false
		}
		switch p.DataPlane(w) {
		case mesh.InSidecar, mesh.Undecided:
			return true
		case mesh.InAmbient:
			if hasWaypoint(p, svc) {
				return true
			}
		case mesh.OutOfMesh:
		}
	}
	return len(workloads) == 0
}

// isIstios says whether labels are those of Istio's own parts: control plane
// and gateways.
func isIstios(labels map[string]string) bool {
	_, gateway := labels["istio"]
	return gateway || labels["release"] == "istio" || labels["app"] == "istiod" ||
		labels["gateway.networking.k8s.io/gateway-name"] != "" || labels["gateway.istio.io/managed"] != ""
}

// hasWaypoint says whether something reads HTTP on the way to an ambient
// Service: ztunnel alone takes every protocol for TCP.
func hasWaypoint(p *analyze.Pass, svc *mesh.Resource[*core.ServiceSpec]) bool {
	const label = "istio.io/use-waypoint"
	used := svc.Labels[label]
	if ns := p.Get(mesh.Namespace, "", svc.Namespace); used == "" && ns != nil {
		used = ns.Labels[label]
	}
	return used != "" && used != "none"
}
