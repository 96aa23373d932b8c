package gatewayapi

import (
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SetNotAttached finds ListenerSets that no Gateway takes.
var SetNotAttached = &analyze.Check{
	Code: "MSH0313", Name: "listener-set-not-attached", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.ListenerSet, mesh.KubernetesGateway},
	Uses:  []mesh.Kind{mesh.Namespace, mesh.Gateway},
	Doc: analyze.Doc{
		What: "The parentRef of a ListenerSet names a Gateway that is not there, that is a waypoint, or that does not allow ListenerSets from this namespace.",
		Why:  "A Gateway takes no ListenerSets unless allowedListeners says from which namespaces. The listeners of the set are nowhere, and neither are the routes that name it: its ports answer nobody.",
		Fix:  "Correct the parentRef, or open the Gateway with allowedListeners.namespaces.from: Same, All or Selector.",
	},
	Run: func(p *analyze.Pass) {
		there := newGateways(p)
		for _, set := range p.ListenerSets() {
			ref := set.Spec.ParentRef
			parent := gatewayapi.ParentReference{Group: ref.Group, Kind: ref.Kind, Namespace: ref.Namespace}
			if kind, ok := mesh.ParentKind(parent); !ok || kind != mesh.KubernetesGateway {
				continue // someone else's
			}
			namespace := mesh.ParentNamespace(parent, set.Namespace)
			gw := mesh.As[*gatewayapi.GatewaySpec](p.Get(mesh.KubernetesGateway, namespace, string(ref.Name)))
			if gw == nil {
				missingParent(p, set.At("spec.parentRef.name"), mesh.KubernetesGateway, namespace, string(ref.Name), there)
				continue
			}
			notTaken(p, set, gw)
		}
	},
}

// notTaken reports a ListenerSet that its Gateway does not take.
func notTaken(p *analyze.Pass, set *mesh.Resource[*gatewayapi.ListenerSetSpec], gw *mesh.Resource[*gatewayapi.GatewaySpec]) {
	at, name := set.At("spec.parentRef.name"), gw.Namespace+"/"+gw.Name
	if gw.Spec.GatewayClassName == mesh.WaypointClass {
		p.Report(at, "Gateway %q is a waypoint, which takes no ListenerSets", name).
			Suggest("name a Gateway of another class").
			Evidence(gw.At("spec.gatewayClassName"), "makes it a waypoint")
		return
	}
	allowed, known := p.SetAllowed(gw, set.Namespace)
	switch {
	case allowed:
	case !known:
		p.CantTell(mesh.Namespace, "")
	case gw.Spec.AllowedListeners == nil:
		p.Report(at, "Gateway %q takes no ListenerSets: it has no allowedListeners", name).
			Suggest("add spec.allowedListeners.namespaces.from: %s to the Gateway", fromFor(gw.Namespace, set.Namespace)).
			Evidence(gw.At("spec"), "allows none")
	default:
		p.Report(at, "Gateway %q takes no ListenerSets from namespace %q", name, set.Namespace).
			Suggest("set spec.allowedListeners.namespaces.from: %s on the Gateway, or a selector that picks namespace %q", fromFor(gw.Namespace, set.Namespace), set.Namespace).
			Evidence(gw.At("spec.allowedListeners"), "allows others")
	}
}

// fromFor is where a Gateway has to take ListenerSets from.
func fromFor(home, namespace string) gatewayapi.FromNamespaces {
	if home == namespace {
		return gatewayapi.NamespacesFromSame
	}
	return gatewayapi.NamespacesFromAll
}
