package service

import (
	"slices"
	"strings"

	"istio.io/istio/pkg/config/protocol"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownAppProtocol finds ports whose appProtocol Istio does not know. Others
// may know it: it is no defect unless it is a misspelt protocol of Istio's.
var UnknownAppProtocol = &analyze.Check{
	Code: "IST0118", Name: "unknown-app-protocol", Severity: analyze.Info, KIA: "KIA0602",
	Reads: []mesh.Kind{mesh.Service},
	Uses:  append(mesh.WorkloadKinds(), mesh.Namespace),
	Doc: analyze.Doc{
		What: "The appProtocol of a Service's port is none that Istio knows.",
		Why:  "Proxies guess the protocol from the first bytes, whatever the port's name says: appProtocol comes first. What is not recognised as HTTP gets no routing rules, no retries, no HTTP telemetry and no HTTP policies.",
		Fix:  "Use http, http2, https, grpc, grpc-web, tcp, tls, mongo, mysql, redis or Kubernetes' kubernetes.io/h2c, kubernetes.io/ws and kubernetes.io/wss. If another program needs the value, nothing is to be done.",
	},
	Run: func(p *analyze.Pass) {
		for _, svc := range p.Services() {
			if svc.Spec.Type == core.ServiceTypeExternalName || !judged(p, svc) {
				continue
			}
			for i, port := range svc.Spec.Ports {
				if port.AppProtocol == nil || port.Protocol == core.ProtocolSCTP || protocolOf(port) != protocol.Unsupported {
					continue
				}
				f := p.Report(svc.At("spec.ports[%d].appProtocol", i), "Istio does not know the protocol %q and guesses that of port %d", *port.AppProtocol, port.Port)
				f.Suggest("set appProtocol to http, http2, https, grpc, tcp or another that Istio knows")
				if best := hint.Closest(strings.ToLower(*port.AppProtocol), knownProtocols()); sameLetters(best, strings.ToLower(*port.AppProtocol)) {
					f.As(analyze.Warning).Suggest("change it to %q", best)
				}
			}
		}
	},
}

// sameLetters says whether two words have the same letters, in any order and
// number. Being close is not enough: smtp and http, mysqlx and mysql are both real.
func sameLetters(a, b string) bool {
	x, y := []byte(a), []byte(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(slices.Compact(x), slices.Compact(y))
}

func knownProtocols() []string {
	return []string{
		"http", "http2", "https", "grpc", "grpc-web", "tcp", "tls", "mongo", "mysql", "redis", "udp",
		"kubernetes.io/h2c", "kubernetes.io/ws", "kubernetes.io/wss",
	}
}
