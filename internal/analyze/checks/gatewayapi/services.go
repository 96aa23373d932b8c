package gatewayapi

import (
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// service is a Service; nil when it is not there.
func service(p *analyze.Pass, namespace, name string) *mesh.Resource[*core.ServiceSpec] {
	return mesh.As[*core.ServiceSpec](p.Get(mesh.Service, namespace, name))
}

// hasPort says whether a Service has a port, or may: the ports of ExternalName
// Services mean nothing.
func hasPort(svc *mesh.Resource[*core.ServiceSpec], port int32) bool {
	for _, sp := range svc.Spec.Ports {
		if sp.Port == port {
			return true
		}
	}
	return svc.Spec.Type == core.ServiceTypeExternalName
}

func portList(svc *mesh.Resource[*core.ServiceSpec]) string {
	var ports []string
	for _, sp := range svc.Spec.Ports {
		ports = append(ports, strconv.Itoa(int(sp.Port)))
	}
	return strings.Join(ports, ", ")
}
