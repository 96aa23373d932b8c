package envoyfilter

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/mesh"
)

// role is what contexts a proxy's configuration has.
type role int

const (
	unclear role = iota
	// sidecar is a proxy beside an application, or a waypoint: istiod patches its
	// configuration as inbound and outbound.
	sidecar
	gateway
)

// roleOf is the role of a workload's proxy, or the one it would have.
func roleOf(w *mesh.Workload) role {
	for _, c := range slices.Concat(w.Pod.Containers, w.Pod.InitContainers) {
		if len(c.Args) < 2 || c.Args[0] != "proxy" {
			continue
		}
		switch c.Args[1] {
		case "router":
			return gateway
		case "sidecar", "waypoint":
			return sidecar
		}
		return unclear
	}
	if templates := w.PodAnnotations["inject.istio.io/templates"]; templates != "" {
		return roleOfTemplates(templates)
	}
	switch {
	case w.PodLabels[mesh.GatewayNameLabel] == "" && !ownProxy(w):
		return sidecar
	case w.PodLabels["gateway.networking.k8s.io/gateway-class-name"] == "istio":
		return gateway
	case w.PodLabels["gateway.networking.k8s.io/gateway-class-name"] == "istio-waypoint":
		return sidecar
	}
	return unclear
}

// roleOfTemplates is the role that the injector's templates give.
func roleOfTemplates(names string) role {
	switch list := strings.Split(names, ","); {
	case slices.Contains(list, "gateway"):
		return gateway
	case slices.Contains(list, "sidecar"):
		return sidecar
	}
	return unclear
}

// ownProxy says whether a proxy is all that the pods run.
func ownProxy(w *mesh.Workload) bool {
	return len(w.Pod.Containers) == 1 && w.Pod.Containers[0].Name == mesh.ProxyContainer
}

// in says whether a proxy of a role has configuration of a context.
func (r role) in(context networking.EnvoyFilter_PatchContext) bool {
	switch context {
	case networking.EnvoyFilter_GATEWAY:
		return r == gateway
	case networking.EnvoyFilter_SIDECAR_INBOUND, networking.EnvoyFilter_SIDECAR_OUTBOUND:
		return r == sidecar
	}
	return context == networking.EnvoyFilter_ANY
}
