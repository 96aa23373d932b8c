package mesh

import (
	"cmp"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
)

// The labels of ambient mode that name waypoints and say what they serve.
const (
	UseWaypointLabel          = "istio.io/use-waypoint"
	UseWaypointNamespaceLabel = "istio.io/use-waypoint-namespace"
	WaypointForLabel          = "istio.io/waypoint-for"
	// GatewayNameLabel is on the pods of a Gateway API Gateway, waypoints included.
	GatewayNameLabel = "gateway.networking.k8s.io/gateway-name"
	// WaypointClass is the GatewayClass of Istio's waypoints.
	WaypointClass = "istio-waypoint"
	// HBONEProtocol and HBONEPort are a waypoint's listener.
	HBONEProtocol = "HBONE"
	HBONEPort     = 15008
)

// Traffic is what a waypoint serves: the values of [WaypointForLabel].
type Traffic string

// The kinds of traffic. AllTraffic is both of the first two.
const (
	ServiceTraffic  Traffic = "service"
	WorkloadTraffic Traffic = "workload"
	AllTraffic      Traffic = "all"
	NoTraffic       Traffic = "none"
)

// BindingState says what became of a wish for a waypoint.
type BindingState int

// The states of a [WaypointBinding].
const (
	// Unbound is what names no waypoint, or opts out of one.
	Unbound BindingState = iota
	// Bound is what has a waypoint.
	Bound
	// WaypointMissing is what names a Gateway that is not there.
	WaypointMissing
	// WaypointUnfit is what names a Gateway that does not serve it.
	WaypointUnfit
	// BindingUnknown is what the input does not tell.
	BindingUnknown
)

// WaypointBinding is the waypoint of a Service, ServiceEntry, workload or
// Namespace, as its labels or those of its namespace name it.
type WaypointBinding struct {
	State BindingState
	// Label is where the waypoint is named, or opted out of; its Object is nil
	// when nothing does.
	Label Location
	// OptedOut says that the label says none.
	OptedOut bool
	// Namespace and Name are the waypoint's.
	Namespace, Name string
	// Gateway is the Gateway of that name; nil when it is not there.
	Gateway *Resource[*gatewayapi.GatewaySpec]
	// Problem is why the Gateway does not serve it, such as
	// `serves workloads only`; empty unless State is WaypointUnfit.
	Problem string
}

// ServiceWaypoint is the waypoint of a Service or ServiceEntry.
func (s *Snapshot) ServiceWaypoint(o *Object) WaypointBinding {
	return s.waypoint(o.Labels, o.At(`metadata.labels["%s"]`, UseWaypointLabel), o.Namespace, ServiceTraffic)
}

// WorkloadWaypoint is the waypoint for traffic to the pods themselves. One that
// the namespace names and that serves Services only is none.
func (s *Snapshot) WorkloadWaypoint(w *Workload) WaypointBinding {
	b := s.waypoint(w.PodLabels, w.At(`metadata.labels["%s"]`, UseWaypointLabel), w.Object.Namespace, WorkloadTraffic)
	if _, own := w.PodLabels[UseWaypointLabel]; !own && b.State == WaypointUnfit {
		b.State = Unbound
	}
	return b
}

// NamespaceWaypoint is the waypoint that a Namespace names for what it holds.
func (s *Snapshot) NamespaceWaypoint(name string) WaypointBinding {
	return s.waypoint(nil, Location{}, name, "")
}

func (s *Snapshot) waypoint(labels map[string]string, at Location, namespace string, traffic Traffic) WaypointBinding {
	if _, own := labels[UseWaypointLabel]; !own {
		inherited, known := s.NamespaceLabels(namespace)
		if !known {
			return WaypointBinding{State: BindingUnknown}
		}
		labels = inherited
		if ns := s.Get(Namespace, "", namespace); ns != nil {
			at = ns.At(`metadata.labels["%s"]`, UseWaypointLabel)
		}
	}
	name, named := labels[UseWaypointLabel]
	if !named {
		return WaypointBinding{}
	}
	b := WaypointBinding{Label: at, Name: name, Namespace: cmp.Or(labels[UseWaypointNamespaceLabel], namespace)}
	if name == "none" {
		b.OptedOut = true
		return b
	}
	b.Gateway = As[*gatewayapi.GatewaySpec](s.Get(KubernetesGateway, b.Namespace, name))
	switch {
	case b.Gateway != nil:
		b.State, b.Problem = s.fits(b.Gateway, namespace, traffic)
	case s.KnownIn(KubernetesGateway, b.Namespace):
		b.State = WaypointMissing
	default:
		b.State = BindingUnknown
	}
	return b
}

// fits says whether a Gateway serves traffic of a namespace as a waypoint; any
// traffic when it is empty.
func (s *Snapshot) fits(gw *Resource[*gatewayapi.GatewaySpec], namespace string, traffic Traffic) (BindingState, string) {
	if class := gw.Spec.GatewayClassName; IsIngressClass(class) {
		return WaypointUnfit, "is no waypoint but a Gateway of class " + string(class)
	}
	if serves := s.WaypointServes(gw); serves != AllTraffic && (traffic != "" && serves != traffic || serves == NoTraffic) {
		return WaypointUnfit, serves.only()
	}
	allowed, known := gw.Namespace == namespace, true
	for i := range gw.Spec.Listeners {
		if l := &gw.Spec.Listeners[i]; l.Protocol == HBONEProtocol && l.Port == HBONEPort {
			allowed, known = s.ListenerShared(gw.Namespace, l, namespace)
			break
		}
	}
	switch {
	case !known:
		return BindingUnknown, ""
	case !allowed:
		return WaypointUnfit, `is not shared with namespace "` + namespace + `": see allowedRoutes of its listener`
	}
	return Bound, ""
}

// IsIngressClass says whether a class is one of Istio's whose Gateways are no
// waypoints. Other classes may be somebody's waypoints.
func IsIngressClass(class gatewayapi.ObjectName) bool {
	return class == "istio" || class == "istio-remote" || class == "istio-east-west"
}

func (t Traffic) only() string {
	switch t {
	case ServiceTraffic:
		return "serves Services only"
	case WorkloadTraffic:
		return "serves workloads only"
	case NoTraffic:
		return "serves nothing"
	}
	return `serves "` + string(t) + `", which is nothing`
}

// WaypointServes is the traffic that a waypoint takes: what its label says, or
// its class's, or Services.
func (s *Snapshot) WaypointServes(gw *Resource[*gatewayapi.GatewaySpec]) Traffic {
	serves := gw.Labels[WaypointForLabel]
	if class := s.Get(GatewayClass, "", string(gw.Spec.GatewayClassName)); serves == "" && class != nil {
		serves = class.Labels[WaypointForLabel]
	}
	return cmp.Or(Traffic(serves), ServiceTraffic)
}

// NamespaceLabels are the labels of a Namespace; known is false when the input
// does not hold it and it may exist.
func (s *Snapshot) NamespaceLabels(name string) (labels map[string]string, known bool) {
	if ns := s.Get(Namespace, "", name); ns != nil {
		return ns.Labels, true
	}
	return nil, s.KnownEverywhere(Namespace)
}

// IsAmbientNamespace says whether pods of a namespace are in ambient mode
// unless they say otherwise. Labels that ask for sidecars come first.
func (s *Snapshot) IsAmbientNamespace(name string) bool {
	labels, _ := s.NamespaceLabels(name)
	return labels[DataPlaneLabel] == "ambient" && labels[InjectionLabel] != "enabled" && (labels[InjectionLabel] != "" || labels[RevisionLabel] == "")
}
