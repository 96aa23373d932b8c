package mesh

import (
	extensions "istio.io/api/extensions/v1alpha1"
	networking "istio.io/api/networking/v1alpha3"
	networkingbeta "istio.io/api/networking/v1beta1"
	security "istio.io/api/security/v1beta1"
	telemetry "istio.io/api/telemetry/v1alpha1"
	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
)

// decoders say what the typed part of a kind is: the spec, or the whole object
// of kinds that have none.
var decoders = map[Kind]decoder{
	VirtualService:        istioSpec[networking.VirtualService],
	Gateway:               istioSpec[networking.Gateway],
	DestinationRule:       istioSpec[networking.DestinationRule],
	ServiceEntry:          istioSpec[networking.ServiceEntry],
	Sidecar:               istioSpec[networking.Sidecar],
	WorkloadEntry:         istioSpec[networking.WorkloadEntry],
	WorkloadGroup:         istioSpec[networking.WorkloadGroup],
	EnvoyFilter:           istioSpec[networking.EnvoyFilter],
	ProxyConfig:           istioSpec[networkingbeta.ProxyConfig],
	AuthorizationPolicy:   istioSpec[security.AuthorizationPolicy],
	PeerAuthentication:    istioSpec[security.PeerAuthentication],
	RequestAuthentication: istioSpec[security.RequestAuthentication],
	Telemetry:             istioSpec[telemetry.Telemetry],
	WasmPlugin:            istioSpec[extensions.WasmPlugin],
	TrafficExtension:      istioSpec[extensions.TrafficExtension],

	Service:                        kubeSpec[core.ServiceSpec],
	Pod:                            kubeSpec[core.PodSpec],
	Deployment:                     kubeSpec[apps.DeploymentSpec],
	StatefulSet:                    kubeSpec[apps.StatefulSetSpec],
	DaemonSet:                      kubeSpec[apps.DaemonSetSpec],
	ReplicaSet:                     kubeSpec[apps.ReplicaSetSpec],
	Job:                            kubeSpec[batch.JobSpec],
	CronJob:                        kubeSpec[batch.CronJobSpec],
	CustomResourceDefinition:       kubeSpec[apiextensions.CustomResourceDefinitionSpec],
	ConfigMap:                      kubeObject[core.ConfigMap],
	Secret:                         kubeObject[core.Secret],
	MutatingWebhookConfiguration:   kubeObject[admission.MutatingWebhookConfiguration],
	ValidatingWebhookConfiguration: kubeObject[admission.ValidatingWebhookConfiguration],

	KubernetesGateway: kubeSpec[gatewayapi.GatewaySpec],
	ListenerSet:       kubeSpec[gatewayapi.ListenerSetSpec],
	GatewayClass:      kubeSpec[gatewayapi.GatewayClassSpec],
	HTTPRoute:         kubeSpec[gatewayapi.HTTPRouteSpec],
	GRPCRoute:         kubeSpec[gatewayapi.GRPCRouteSpec],
	TLSRoute:          kubeSpec[gatewayapi.TLSRouteSpec],
	TCPRoute:          kubeSpec[gatewayapi.TCPRouteSpec],
	ReferenceGrant:    kubeSpec[gatewayapi.ReferenceGrantSpec],
	BackendTLSPolicy:  kubeSpec[gatewayapi.BackendTLSPolicySpec],
}
