package gatewayapi

import (
	"slices"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// remoteClass is for Gateways of other clusters, which nothing here serves.
const remoteClass = "istio-remote"

// builtinClasses are the GatewayClasses that istiod serves without their objects.
func builtinClasses() []string {
	return []string{"istio", remoteClass, mesh.WaypointClass, "istio-east-west"}
}

// isIstio says whether Istio serves Gateways of a class.
func isIstio(p *analyze.Pass, class gatewayapi.ObjectName) bool {
	if slices.Contains(builtinClasses(), string(class)) {
		return true
	}
	c := mesh.As[*gatewayapi.GatewayClassSpec](p.Get(mesh.GatewayClass, "", string(class)))
	return c != nil && c.Spec.ControllerName == "istio.io/gateway-controller"
}
