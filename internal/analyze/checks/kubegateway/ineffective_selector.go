// Package kubegateway has the checks of the Gateway API's Gateways, of the
// policies for them, and of what controllers say of objects.
package kubegateway

import (
	"maps"
	"slices"

	typev1beta1 "istio.io/api/type/v1beta1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

const (
	gatewayNameLabel = "gateway.networking.k8s.io/gateway-name"
	managedLabel     = "gateway.istio.io/managed"
	waypointManager  = "istio.io-mesh-controller"
	waypointClass    = "istio-waypoint"
)

// IneffectiveSelector finds policies that select gateways by labels where only
// targetRefs work.
var IneffectiveSelector = &analyze.Check{
	Code: "IST0166", Name: "ineffective-selector", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.KubernetesGateway},
	Uses: append(mesh.WorkloadKinds(), mesh.AuthorizationPolicy, mesh.RequestAuthentication, mesh.Telemetry,
		mesh.WasmPlugin, mesh.TrafficExtension),
	Doc: analyze.Doc{
		What: "A policy picks the pods of a Gateway API Gateway by their labels. For waypoints that is a warning; for ingress gateways only where istiod has ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY=false, otherwise it is worth knowing.",
		Why:  "Waypoints ignore selectors altogether: the policy is not enforced there. Ingress gateways obey them only as long as istiod is told to.",
		Fix:  "Name the Gateway, or a Service behind the waypoint, in targetRefs instead.",
	},
	Run: func(p *analyze.Pass) {
		gateways := gatewaysByLabel(p)
		if len(gateways) == 0 {
			return
		}
		ignored := p.ControlPlaneSets("ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY", "false")
		for _, policy := range policies(p) {
			gw, ok := gateways.selected(policy)
			switch {
			case !ok, elsewhere(p, policy):
			case gw.waypoint:
				report(p, policy, gw, "the waypoint %q ignores this: waypoints take policies by targetRefs only", gw.name)
			case ignored:
				report(p, policy, gw, "the Gateway %q ignores this: istiod has ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY=false", gw.name)
			default:
				report(p, policy, gw, "the selector picks the pods of the Gateway %q, to which targetRefs would attach it for good", gw.name).As(analyze.Info)
			}
		}
	},
}

func report(p *analyze.Pass, policy policy, gw gateway, format string, args ...any) *analyze.Finding {
	return p.Report(policy.object.At("spec.selector.matchLabels"), format, args...).
		Evidence(gw.object.At(""), "has pods with these labels").
		Suggest("replace the selector with targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: %s}]", gw.name)
}

// elsewhere says whether a policy picks workloads that are no gateways: it is
// in force for these, and need not be meant for the others.
func elsewhere(p *analyze.Pass, policy policy) bool {
	return slices.ContainsFunc(p.Select(policy.object.Namespace, policy.labels), func(w *mesh.Workload) bool {
		return w.PodLabels[gatewayNameLabel] == ""
	})
}

// policy is an object that picks workloads by labels.
type policy struct {
	object *mesh.Object
	labels map[string]string
}

// policies are all policies with a selector and no target.
func policies(p *analyze.Pass) []policy {
	var all []policy
	all = appendPolicies(all, p.AuthorizationPolicies())
	all = appendPolicies(all, p.RequestAuthentications())
	all = appendPolicies(all, p.Telemetries())
	all = appendPolicies(all, p.WasmPlugins())
	all = appendPolicies(all, p.TrafficExtensions())
	return all
}

// attachable is a spec that is attached by labels or to targets.
type attachable interface {
	GetSelector() *typev1beta1.WorkloadSelector
	GetTargetRefs() []*typev1beta1.PolicyTargetReference
}

func appendPolicies[T attachable](all []policy, list []*mesh.Resource[T]) []policy {
	for _, r := range list {
		labels := r.Spec.GetSelector().GetMatchLabels()
		if len(labels) > 0 && len(r.Spec.GetTargetRefs()) == 0 && r.Field("spec", "targetRef") == nil {
			all = append(all, policy{r.Object, labels})
		}
	}
	return all
}

// gateway is what runs for a Gateway: its pods' labels.
type gateway struct {
	name     string
	object   *mesh.Object
	labels   map[string]string
	waypoint bool
}

// gatewayIndex finds gateways by a label of their pods, in a namespace.
type gatewayIndex map[labelIn][]gateway

type labelIn struct{ namespace, key, value string }

func (x gatewayIndex) add(g gateway) {
	for k, v := range g.labels {
		key := labelIn{g.object.Namespace, k, v}
		x[key] = append(x[key], g)
	}
}

// selected is a gateway that a policy picks, a waypoint if there is one.
func (x gatewayIndex) selected(policy policy) (gateway, bool) {
	var found gateway
	ok := false
	// The rarest label has the shortest list.
	var candidates []gateway
	for i, k := range slices.Sorted(maps.Keys(policy.labels)) {
		if list := x[labelIn{policy.object.Namespace, k, policy.labels[k]}]; i == 0 || len(list) < len(candidates) {
			candidates = list
		}
	}
	for _, g := range candidates {
		if mesh.Subset(policy.labels, g.labels) && (!ok || g.waypoint && !found.waypoint) {
			found, ok = g, true
		}
	}
	return found, ok
}

// gatewaysByLabel are the pods of all Gateways: those that run, and those that
// istiod makes of a Gateway.
func gatewaysByLabel(p *analyze.Pass) gatewayIndex {
	x := gatewayIndex{}
	for _, w := range p.Workloads() {
		if name := w.PodLabels[gatewayNameLabel]; name != "" {
			x.add(gateway{name, w.Object, w.PodLabels, w.PodLabels[managedLabel] == waypointManager || isWaypoint(p, w.Object.Namespace, name)})
		}
	}
	for _, gw := range p.KubernetesGateways() {
		if class := gw.Spec.GatewayClassName; class != "istio" && class != waypointClass {
			continue // whoever serves that class names the pods
		}
		labels := map[string]string{gatewayNameLabel: gw.Name}
		if gw.Spec.Infrastructure == nil || len(gw.Spec.Infrastructure.Labels) == 0 {
			maps.Copy(labels, gw.Labels)
		} else {
			for k, v := range gw.Spec.Infrastructure.Labels {
				labels[string(k)] = string(v)
			}
		}
		x.add(gateway{gw.Name, gw.Object, labels, gw.Spec.GatewayClassName == waypointClass})
	}
	return x
}

// isWaypoint says whether the Gateway of a pod is a waypoint.
func isWaypoint(p *analyze.Pass, namespace, name string) bool {
	gw := mesh.As[*gatewayapi.GatewaySpec](p.Get(mesh.KubernetesGateway, namespace, name))
	return gw != nil && gw.Spec.GatewayClassName == waypointClass
}
