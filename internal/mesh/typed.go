package mesh

import (
	"sort"

	extensions "istio.io/api/extensions/v1alpha1"
	networking "istio.io/api/networking/v1alpha3"
	networkingbeta "istio.io/api/networking/v1beta1"
	security "istio.io/api/security/v1beta1"
	telemetry "istio.io/api/telemetry/v1alpha1"
	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
)

// Resource is an object with its typed part: Spec is the kind's spec, or the
// whole object of kinds that have none (ConfigMap, Secret, webhooks). It must
// not be changed.
type Resource[T any] struct {
	*Object
	Spec T
}

// As is the typed form of an object; T must be the type that the accessor of
// the object's kind has. Nil stays nil.
func As[T any](o *Object) *Resource[T] {
	if o == nil {
		return nil
	}
	o.decode()
	spec, _ := o.spec.(T)
	return &Resource[T]{Object: o, Spec: spec}
}

// InNamespace is the part of a list, as accessors return it, that lives in namespace.
func InNamespace[T any](list []*Resource[T], namespace string) []*Resource[T] {
	from := sort.Search(len(list), func(i int) bool { return list[i].Namespace >= namespace })
	to := from + sort.Search(len(list)-from, func(i int) bool { return list[from+i].Namespace > namespace })
	return list[from:to]
}

// resources are the typed objects of a kind, decoded in parallel the first time.
func resources[T any](s *Snapshot, kind Kind) []*Resource[T] {
	s.touch(kind)
	return typedOf[T](s.content, kind)
}

func typedOf[T any](c *content, kind Kind) []*Resource[T] {
	slot := c.typed[kind]
	if slot == nil {
		return nil
	}
	slot.once.Do(func() {
		objects := c.byKind[kind]
		list := make([]*Resource[T], len(objects))
		Parallel(len(objects), func(i int) { list[i] = As[T](objects[i]) })
		slot.value = list
	})
	list, _ := slot.value.([]*Resource[T])
	return list
}

// VirtualServices are all VirtualServices, by namespace and name, as are the
// other accessors' results.
func (s *Snapshot) VirtualServices() []*Resource[*networking.VirtualService] {
	return resources[*networking.VirtualService](s, VirtualService)
}

// Gateways are Istio's Gateways; see KubernetesGateways for the Gateway API's.
func (s *Snapshot) Gateways() []*Resource[*networking.Gateway] {
	return resources[*networking.Gateway](s, Gateway)
}

// DestinationRules are all DestinationRules.
func (s *Snapshot) DestinationRules() []*Resource[*networking.DestinationRule] {
	return resources[*networking.DestinationRule](s, DestinationRule)
}

// ServiceEntries are all ServiceEntries.
func (s *Snapshot) ServiceEntries() []*Resource[*networking.ServiceEntry] {
	return resources[*networking.ServiceEntry](s, ServiceEntry)
}

// Sidecars are all Sidecars.
func (s *Snapshot) Sidecars() []*Resource[*networking.Sidecar] {
	return resources[*networking.Sidecar](s, Sidecar)
}

// WorkloadEntries are all WorkloadEntries.
func (s *Snapshot) WorkloadEntries() []*Resource[*networking.WorkloadEntry] {
	return resources[*networking.WorkloadEntry](s, WorkloadEntry)
}

// WorkloadGroups are all WorkloadGroups.
func (s *Snapshot) WorkloadGroups() []*Resource[*networking.WorkloadGroup] {
	return resources[*networking.WorkloadGroup](s, WorkloadGroup)
}

// EnvoyFilters are all EnvoyFilters.
func (s *Snapshot) EnvoyFilters() []*Resource[*networking.EnvoyFilter] {
	return resources[*networking.EnvoyFilter](s, EnvoyFilter)
}

// ProxyConfigs are all ProxyConfigs.
func (s *Snapshot) ProxyConfigs() []*Resource[*networkingbeta.ProxyConfig] {
	return resources[*networkingbeta.ProxyConfig](s, ProxyConfig)
}

// AuthorizationPolicies are all AuthorizationPolicies.
func (s *Snapshot) AuthorizationPolicies() []*Resource[*security.AuthorizationPolicy] {
	return resources[*security.AuthorizationPolicy](s, AuthorizationPolicy)
}

// PeerAuthentications are all PeerAuthentications.
func (s *Snapshot) PeerAuthentications() []*Resource[*security.PeerAuthentication] {
	return resources[*security.PeerAuthentication](s, PeerAuthentication)
}

// RequestAuthentications are all RequestAuthentications.
func (s *Snapshot) RequestAuthentications() []*Resource[*security.RequestAuthentication] {
	return resources[*security.RequestAuthentication](s, RequestAuthentication)
}

// Telemetries are all Telemetries.
func (s *Snapshot) Telemetries() []*Resource[*telemetry.Telemetry] {
	return resources[*telemetry.Telemetry](s, Telemetry)
}

// WasmPlugins are all WasmPlugins.
func (s *Snapshot) WasmPlugins() []*Resource[*extensions.WasmPlugin] {
	return resources[*extensions.WasmPlugin](s, WasmPlugin)
}

// Services are all Services.
func (s *Snapshot) Services() []*Resource[*core.ServiceSpec] {
	return resources[*core.ServiceSpec](s, Service)
}

// Pods are all Pods; most checks want [Snapshot.Workloads].
func (s *Snapshot) Pods() []*Resource[*core.PodSpec] {
	return resources[*core.PodSpec](s, Pod)
}

// Deployments are all Deployments; most checks want [Snapshot.Workloads].
func (s *Snapshot) Deployments() []*Resource[*apps.DeploymentSpec] {
	return resources[*apps.DeploymentSpec](s, Deployment)
}

// Namespaces are all Namespaces; only their metadata matters.
func (s *Snapshot) Namespaces() []*Object { return s.Objects(Namespace) }

// ConfigMap is one ConfigMap, nil when it is not there.
func (s *Snapshot) ConfigMap(namespace, name string) *Resource[*core.ConfigMap] {
	return As[*core.ConfigMap](s.Get(ConfigMap, namespace, name))
}

// Secret is one Secret, nil when it is not there.
func (s *Snapshot) Secret(namespace, name string) *Resource[*core.Secret] {
	return As[*core.Secret](s.Get(Secret, namespace, name))
}

// CustomResourceDefinitions are all CRDs.
func (s *Snapshot) CustomResourceDefinitions() []*Resource[*apiextensions.CustomResourceDefinitionSpec] {
	return resources[*apiextensions.CustomResourceDefinitionSpec](s, CustomResourceDefinition)
}

// MutatingWebhooks are all MutatingWebhookConfigurations.
func (s *Snapshot) MutatingWebhooks() []*Resource[*admission.MutatingWebhookConfiguration] {
	return resources[*admission.MutatingWebhookConfiguration](s, MutatingWebhookConfiguration)
}

// ValidatingWebhooks are all ValidatingWebhookConfigurations.
func (s *Snapshot) ValidatingWebhooks() []*Resource[*admission.ValidatingWebhookConfiguration] {
	return resources[*admission.ValidatingWebhookConfiguration](s, ValidatingWebhookConfiguration)
}

// KubernetesGateways are the Gateway API's Gateways.
func (s *Snapshot) KubernetesGateways() []*Resource[*gatewayapi.GatewaySpec] {
	return resources[*gatewayapi.GatewaySpec](s, KubernetesGateway)
}

// ListenerSets are all ListenerSets: listeners for others' Gateways.
func (s *Snapshot) ListenerSets() []*Resource[*gatewayapi.ListenerSetSpec] {
	return resources[*gatewayapi.ListenerSetSpec](s, ListenerSet)
}

// HTTPRoutes are all HTTPRoutes.
func (s *Snapshot) HTTPRoutes() []*Resource[*gatewayapi.HTTPRouteSpec] {
	return resources[*gatewayapi.HTTPRouteSpec](s, HTTPRoute)
}

// GRPCRoutes are all GRPCRoutes.
func (s *Snapshot) GRPCRoutes() []*Resource[*gatewayapi.GRPCRouteSpec] {
	return resources[*gatewayapi.GRPCRouteSpec](s, GRPCRoute)
}

// TLSRoutes are all TLSRoutes.
func (s *Snapshot) TLSRoutes() []*Resource[*gatewayapi.TLSRouteSpec] {
	return resources[*gatewayapi.TLSRouteSpec](s, TLSRoute)
}

// TCPRoutes are all TCPRoutes.
func (s *Snapshot) TCPRoutes() []*Resource[*gatewayapi.TCPRouteSpec] {
	return resources[*gatewayapi.TCPRouteSpec](s, TCPRoute)
}

// GatewayClasses are all GatewayClasses.
func (s *Snapshot) GatewayClasses() []*Resource[*gatewayapi.GatewayClassSpec] {
	return resources[*gatewayapi.GatewayClassSpec](s, GatewayClass)
}

// ReferenceGrants are all ReferenceGrants.
func (s *Snapshot) ReferenceGrants() []*Resource[*gatewayapi.ReferenceGrantSpec] {
	return resources[*gatewayapi.ReferenceGrantSpec](s, ReferenceGrant)
}

// BackendTLSPolicies are all BackendTLSPolicies.
func (s *Snapshot) BackendTLSPolicies() []*Resource[*gatewayapi.BackendTLSPolicySpec] {
	return resources[*gatewayapi.BackendTLSPolicySpec](s, BackendTLSPolicy)
}

// TrafficExtensions are all TrafficExtensions.
func (s *Snapshot) TrafficExtensions() []*Resource[*extensions.TrafficExtension] {
	return resources[*extensions.TrafficExtension](s, TrafficExtension)
}
