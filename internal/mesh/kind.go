package mesh

import (
	"cmp"
	"slices"
	"strings"
)

// Kind is a kind of object. It is comparable: equal kinds are equal values,
// whichever of its versions an object was written in.
type Kind struct {
	// Group is the API group, empty for the core group.
	Group string
	// Kind is the name in "kind:", such as VirtualService.
	Kind string
	// Resource is the plural in URLs, such as virtualservices.
	Resource string
	// Version is the preferred version.
	Version string
	// versions are all versions that are read, joined by commas.
	versions string
	// Namespaced says whether objects live in namespaces.
	Namespaced bool
}

// The groups that meshctl reads.
const (
	networkingGroup = "networking.istio.io"
	securityGroup   = "security.istio.io"
	telemetryGroup  = "telemetry.istio.io"
	extensionsGroup = "extensions.istio.io"
	gatewayGroup    = "gateway.networking.k8s.io"
)

func istio(group, kind, resource string, versions ...string) Kind {
	return Kind{Group: group, Kind: kind, Resource: resource, Version: versions[0], versions: strings.Join(versions, ","), Namespaced: true}
}

func builtin(group, version, kind, resource string, namespaced bool) Kind {
	return Kind{Group: group, Kind: kind, Resource: resource, Version: version, versions: version, Namespaced: namespaced}
}

// Istio's kinds.
var (
	VirtualService        = istio(networkingGroup, "VirtualService", "virtualservices", "v1", "v1beta1", "v1alpha3")
	Gateway               = istio(networkingGroup, "Gateway", "gateways", "v1", "v1beta1", "v1alpha3")
	DestinationRule       = istio(networkingGroup, "DestinationRule", "destinationrules", "v1", "v1beta1", "v1alpha3")
	ServiceEntry          = istio(networkingGroup, "ServiceEntry", "serviceentries", "v1", "v1beta1", "v1alpha3")
	Sidecar               = istio(networkingGroup, "Sidecar", "sidecars", "v1", "v1beta1", "v1alpha3")
	WorkloadEntry         = istio(networkingGroup, "WorkloadEntry", "workloadentries", "v1", "v1beta1", "v1alpha3")
	WorkloadGroup         = istio(networkingGroup, "WorkloadGroup", "workloadgroups", "v1", "v1beta1", "v1alpha3")
	EnvoyFilter           = istio(networkingGroup, "EnvoyFilter", "envoyfilters", "v1alpha3")
	ProxyConfig           = istio(networkingGroup, "ProxyConfig", "proxyconfigs", "v1beta1")
	AuthorizationPolicy   = istio(securityGroup, "AuthorizationPolicy", "authorizationpolicies", "v1", "v1beta1")
	PeerAuthentication    = istio(securityGroup, "PeerAuthentication", "peerauthentications", "v1", "v1beta1")
	RequestAuthentication = istio(securityGroup, "RequestAuthentication", "requestauthentications", "v1", "v1beta1")
	Telemetry             = istio(telemetryGroup, "Telemetry", "telemetries", "v1", "v1alpha1")
	WasmPlugin            = istio(extensionsGroup, "WasmPlugin", "wasmplugins", "v1alpha1")
	TrafficExtension      = istio(extensionsGroup, "TrafficExtension", "trafficextensions", "v1alpha1")
)

// Kubernetes' own kinds.
var (
	Service                        = builtin("", "v1", "Service", "services", true)
	Namespace                      = builtin("", "v1", "Namespace", "namespaces", false)
	Pod                            = builtin("", "v1", "Pod", "pods", true)
	Node                           = builtin("", "v1", "Node", "nodes", false)
	Secret                         = builtin("", "v1", "Secret", "secrets", true)
	ConfigMap                      = builtin("", "v1", "ConfigMap", "configmaps", true)
	ServiceAccount                 = builtin("", "v1", "ServiceAccount", "serviceaccounts", true)
	Deployment                     = builtin("apps", "v1", "Deployment", "deployments", true)
	StatefulSet                    = builtin("apps", "v1", "StatefulSet", "statefulsets", true)
	DaemonSet                      = builtin("apps", "v1", "DaemonSet", "daemonsets", true)
	ReplicaSet                     = builtin("apps", "v1", "ReplicaSet", "replicasets", true)
	Job                            = builtin("batch", "v1", "Job", "jobs", true)
	CronJob                        = builtin("batch", "v1", "CronJob", "cronjobs", true)
	CustomResourceDefinition       = builtin("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", false)
	MutatingWebhookConfiguration   = builtin("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", false)
	ValidatingWebhookConfiguration = builtin("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false)
)

// The Gateway API's kinds. Its Gateway is KubernetesGateway here, to keep it
// apart from Istio's.
var (
	KubernetesGateway = istio(gatewayGroup, "Gateway", "gateways", "v1", "v1beta1", "v1alpha2")
	GatewayClass      = Kind{Group: gatewayGroup, Kind: "GatewayClass", Resource: "gatewayclasses", Version: "v1", versions: "v1,v1beta1,v1alpha2"}
	ListenerSet       = istio(gatewayGroup, "ListenerSet", "listenersets", "v1")
	HTTPRoute         = istio(gatewayGroup, "HTTPRoute", "httproutes", "v1", "v1beta1", "v1alpha2")
	GRPCRoute         = istio(gatewayGroup, "GRPCRoute", "grpcroutes", "v1", "v1alpha2")
	TLSRoute          = istio(gatewayGroup, "TLSRoute", "tlsroutes", "v1", "v1alpha3", "v1alpha2")
	TCPRoute          = istio(gatewayGroup, "TCPRoute", "tcproutes", "v1", "v1alpha2")
	ReferenceGrant    = istio(gatewayGroup, "ReferenceGrant", "referencegrants", "v1", "v1beta1", "v1alpha2")
	BackendTLSPolicy  = istio(gatewayGroup, "BackendTLSPolicy", "backendtlspolicies", "v1", "v1alpha3", "v1alpha2")
)

var kinds = sortedKinds()

func sortedKinds() []Kind {
	all := []Kind{
		VirtualService, Gateway, DestinationRule, ServiceEntry, Sidecar, WorkloadEntry, WorkloadGroup, EnvoyFilter, ProxyConfig,
		AuthorizationPolicy, PeerAuthentication, RequestAuthentication, Telemetry, WasmPlugin, TrafficExtension,
		Service, Namespace, Pod, Node, Secret, ConfigMap, ServiceAccount, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob,
		CustomResourceDefinition, MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
		KubernetesGateway, ListenerSet, GatewayClass, HTTPRoute, GRPCRoute, TLSRoute, TCPRoute, ReferenceGrant, BackendTLSPolicy,
	}
	slices.SortFunc(all, Kind.Compare)
	return all
}

var kindByName = func() map[string]Kind {
	m := make(map[string]Kind, len(kinds))
	for _, k := range kinds {
		m[k.Group+"/"+k.Kind] = k
	}
	return m
}()

// Kinds are all kinds that meshctl knows, sorted by group and name.
func Kinds() []Kind { return slices.Clone(kinds) }

// KindOf is the known kind that an object's apiVersion and kind name. An
// unknown version of a known kind is that kind too; see [Kind.Serves].
func KindOf(apiVersion, kind string) (Kind, bool) {
	group, _, found := strings.Cut(apiVersion, "/")
	if !found {
		group = ""
	}
	k, ok := kindByName[group+"/"+kind]
	return k, ok
}

// Serves says whether version is one that the kind can be written in.
func (k Kind) Serves(version string) bool { return slices.Contains(k.Versions(), version) }

// Versions are the versions the kind can be written in, the preferred first.
func (k Kind) Versions() []string { return strings.Split(k.versions, ",") }

// APIVersion is what stands in "apiVersion:" for the preferred version.
func (k Kind) APIVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

// IsIstio says whether the kind belongs to Istio's own API.
func (k Kind) IsIstio() bool { return strings.HasSuffix(k.Group, ".istio.io") }

// IsZero says whether k is no kind at all.
func (k Kind) IsZero() bool { return k.Kind == "" }

// String is the kind's name; the Gateway API's Gateway is told apart from Istio's.
func (k Kind) String() string {
	if k == KubernetesGateway {
		return "Gateway." + k.Group
	}
	return k.Kind
}

// Compare orders kinds by name, then group.
func (k Kind) Compare(other Kind) int {
	return cmp.Or(strings.Compare(k.Kind, other.Kind), strings.Compare(k.Group, other.Group))
}

// ForeignKind is a kind that meshctl does not know, taken as it is written.
func ForeignKind(apiVersion, kind string) Kind {
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	return Kind{Group: group, Kind: kind, Version: version, versions: version, Namespaced: true}
}
