package service

import (
	"istio.io/istio/pkg/config/protocol"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ExternalNamePort finds ExternalName Services that take over a port of the
// whole mesh. istiod treats such Services as aliases, whose ports mean
// nothing, unless an older one is told not to.
var ExternalNamePort = &analyze.Check{
	Code: "IST0150", Name: "external-name-port", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Service},
	Uses:  mesh.WorkloadKinds(),
	Doc: analyze.Doc{
		What: "A port of an ExternalName Service is no HTTP or TLS port. It is a warning where istiod is set not to treat such Services as aliases (ENABLE_EXTERNAL_NAME_ALIAS=false), and else only worth knowing.",
		Why:  "Without aliases, the Service has no address of its own, so proxies send all traffic on that port to it, whatever host it was meant for. As an alias, its ports have no effect.",
		Fix:  "Remove the port, name it by its protocol (http, https, tls), or remove ENABLE_EXTERNAL_NAME_ALIAS=false from istiod.",
	},
	Run: func(p *analyze.Pass) {
		alias := !p.ControlPlaneSets("ENABLE_EXTERNAL_NAME_ALIAS", "false")
		for _, svc := range p.Services() {
			if svc.Spec.Type != core.ServiceTypeExternalName {
				continue
			}
			for i, port := range svc.Spec.Ports {
				switch is := protocolOf(port); {
				case is != protocol.Unsupported && is != protocol.TCP:
				case alias:
					p.Report(svc.At("spec.ports[%d]", i), "the Service is another name of %q, whose own ports count: port %d has no effect", svc.Spec.ExternalName, port.Port).
						As(analyze.Info).Suggest("remove the port, which only an istiod with ENABLE_EXTERNAL_NAME_ALIAS=false reads")
				default:
					p.Report(svc.At("spec.ports[%d]", i), "proxies send all traffic on port %d to %q", port.Port, svc.Spec.ExternalName).
						Suggest("remove the port, or name it by its protocol: http, https or tls")
				}
			}
		}
	},
}
