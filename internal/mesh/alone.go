package mesh

import (
	"encoding/json"
	"fmt"

	meshconfig "istio.io/api/mesh/v1alpha1"
	core "k8s.io/api/core/v1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// NetworkLabel names the network that an object belongs to or leads to.
const NetworkLabel = "topology.istio.io/network"

// eastWestClass is the GatewayClass of ambient mode's gateways between clusters.
const eastWestClass = "istio-east-west"

// OneOfSeveral says by what sign the mesh has further clusters although one was
// read alone; empty when there is no sign, or they were read, or the input is
// said to be complete. What clusters share, Services and workloads, may then be
// in another one. It looks at what was read and asks for no further kind.
func (s *Snapshot) OneOfSeveral() string {
	if s.options.Complete || len(s.options.others) > 0 {
		return ""
	}
	return s.alone()
}

func (c *content) newAlone() string {
	if sign := c.severalNetworks(); sign != "" {
		return sign
	}
	for _, o := range c.byKind[Secret] {
		if o.Namespace == c.options.IstioNamespace && o.Labels["istio/multiCluster"] == "true" {
			return fmt.Sprintf("%s gives istiod access to another one", o.Ref)
		}
	}
	for _, gw := range typedOf[*gatewayapi.GatewaySpec](c, KubernetesGateway) {
		if gw.Spec.GatewayClassName == eastWestClass {
			return fmt.Sprintf("%s is a gateway between clusters", gw.Ref)
		}
	}
	for _, svc := range typedOf[*core.ServiceSpec](c, Service) {
		if svc.Labels["istio"] == "eastwestgateway" || svc.Spec.Selector["istio"] == "eastwestgateway" || svc.Labels[NetworkLabel] != "" {
			return fmt.Sprintf("%s is a gateway between clusters", svc.Ref)
		}
	}
	return ""
}

// severalNetworks is the sign in the settings of the control plane.
func (c *content) severalNetworks() string {
	var values struct {
		Global struct {
			Network      string `json:"network"`
			MultiCluster struct {
				ClusterName string `json:"clusterName"`
			} `json:"multiCluster"`
		} `json:"global"`
	}
	if injector := As[*core.ConfigMap](c.control("istio-sidecar-injector")); injector != nil {
		if json.Unmarshal([]byte(injector.Spec.Data["values"]), &values) == nil {
			if name := values.Global.MultiCluster.ClusterName; name != "" && name != "Kubernetes" {
				return fmt.Sprintf("global.multiCluster.clusterName in %s is %q", injector.Ref, name)
			}
			if name := values.Global.Network; name != "" {
				return fmt.Sprintf("global.network in %s is %q", injector.Ref, name)
			}
		}
	}
	if config := As[*core.ConfigMap](c.control("istio")); config != nil {
		var networks meshconfig.MeshNetworks
		text, err := yaml.YAMLToJSON([]byte(config.Spec.Data["meshNetworks"]))
		if err == nil && json.Unmarshal(text, &networks) == nil && len(networks.GetNetworks()) > 1 {
			return fmt.Sprintf("meshNetworks in %s has several networks", config.Ref)
		}
	}
	return ""
}
