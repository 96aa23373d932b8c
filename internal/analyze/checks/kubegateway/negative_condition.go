package kubegateway

import (
	"fmt"
	"slices"
	"strings"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NegativeCondition finds objects of which a controller says that they do not work.
var NegativeCondition = &analyze.Check{
	Code: "IST0171", Name: "negative-condition", Severity: analyze.Warning, KIA: "GWAPI",
	Reads: []mesh.Kind{mesh.KubernetesGateway},
	Uses: append(mesh.WorkloadKinds(), mesh.Namespace, mesh.GatewayClass, mesh.HTTPRoute, mesh.GRPCRoute, mesh.TLSRoute, mesh.TCPRoute,
		mesh.Service, mesh.ServiceEntry, mesh.WorkloadEntry, mesh.AuthorizationPolicy),
	Doc: analyze.Doc{
		What: "The status of an object says that istiod could not do what it asks for: a Gateway, a listener or a route is not accepted or refers to what is not there, or no waypoint is bound to a Service.",
		Why:  "The object, or a part of it, is not in force. Its reason and message, which kubectl get does not show, say why.",
		Fix:  "Do what the message says; the status follows within seconds.",
	},
	Run: func(p *analyze.Pass) {
		for _, kind := range []mesh.Kind{mesh.Service, mesh.ServiceEntry, mesh.WorkloadEntry} {
			for _, o := range p.Objects(kind) {
				if o.Origin.File == "" && !usesWaypoint(p, o) {
					continue // nothing is said of it, and to look would cost memory
				}
				judge(p, o, "status.conditions", conditions(o, "status", "conditions"), []string{"istio.io/WaypointBound"}, nil)
			}
		}
		for _, ap := range p.AuthorizationPolicies() {
			types := []string{"WaypointAccepted", "ZtunnelAccepted"}
			if withoutZtunnel(p, ap.Namespace, ap.Spec.GetSelector().GetMatchLabels()) {
				types = types[:1]
			}
			judge(p, ap.Object, "status.conditions", conditions(ap.Object, "status", "conditions"), types, nil)
		}
		for _, gw := range p.KubernetesGateways() {
			if !foreign(p, string(gw.Spec.GatewayClassName)) {
				ofGateway(p, gw.Object)
			}
		}
		for _, kind := range []mesh.Kind{mesh.HTTPRoute, mesh.GRPCRoute, mesh.TLSRoute, mesh.TCPRoute} {
			for _, o := range p.Objects(kind) {
				ofRoute(p, o)
			}
		}
	},
}

// usesWaypoint says whether an object, or its namespace, asks for a waypoint.
func usesWaypoint(p *analyze.Pass, o *mesh.Object) bool {
	const label = "istio.io/use-waypoint"
	if _, own := o.Labels[label]; own {
		return true
	}
	ns := p.Get(mesh.Namespace, "", o.Namespace)
	return ns != nil && ns.Labels[label] != ""
}

// foreign says whether another controller than istiod serves a class of Gateways.
func foreign(p *analyze.Pass, class string) bool {
	gc := mesh.As[*gatewayapi.GatewayClassSpec](p.Get(mesh.GatewayClass, "", class))
	return gc != nil && !strings.HasPrefix(string(gc.Spec.ControllerName), "istio.io/")
}

// withoutZtunnel says whether no workload that a policy selects is behind a
// ztunnel: istiod gives its verdict all the same.
func withoutZtunnel(p *analyze.Pass, namespace string, labels map[string]string) bool {
	if namespace == p.RootNamespace() {
		namespace = ""
	}
	workloads := p.Select(namespace, labels)
	return len(workloads) > 0 && !slices.ContainsFunc(workloads, func(w *mesh.Workload) bool {
		in := p.DataPlane(w)
		return in == mesh.InAmbient || in == mesh.Undecided
	})
}

func ofGateway(p *analyze.Pass, gw *mesh.Object) {
	if !gw.FromCluster() {
		return
	}
	judge(p, gw, "status.conditions", conditions(gw, "status", "conditions"), []string{"Accepted", "Programmed", "ResolvedRefs"}, nil)
	listeners, _ := gw.Field("status", "listeners").([]any)
	for i, l := range listeners {
		judge(p, gw, fmt.Sprintf("status.listeners[%d].conditions", i), conditionsOf(l),
			[]string{"Accepted", "Programmed", "ResolvedRefs"}, []string{"Conflicted", "Detached"})
	}
}

// ofRoute judges what istiod says of a route, for each parent; other
// controllers speak for themselves.
func ofRoute(p *analyze.Pass, route *mesh.Object) {
	if !route.FromCluster() {
		return
	}
	parents, _ := route.Field("status", "parents").([]any)
	for i, parent := range parents {
		m, _ := parent.(map[string]any)
		controller, _ := m["controllerName"].(string)
		if controller == "" || strings.HasPrefix(controller, "istio.io/") {
			judge(p, route, fmt.Sprintf("status.parents[%d].conditions", i), conditionsOf(parent), []string{"Accepted", "ResolvedRefs"}, nil)
		}
	}
}

// condition is one entry of a status.
type condition struct {
	index           int
	kind, status    string
	reason, message string
	generation      float64
}

func conditions(o *mesh.Object, path ...string) []condition {
	if !o.FromCluster() {
		return nil // what nobody has judged yet
	}
	return readConditions(o.Field(path...))
}

func conditionsOf(v any) []condition {
	m, _ := v.(map[string]any)
	return readConditions(m["conditions"])
}

func readConditions(v any) []condition {
	list, _ := v.([]any)
	var all []condition
	for i, item := range list {
		m, _ := item.(map[string]any)
		c := condition{index: i, generation: number(m["observedGeneration"])}
		c.kind, _ = m["type"].(string)
		c.status, _ = m["status"].(string)
		c.reason, _ = m["reason"].(string)
		c.message, _ = m["message"].(string)
		all = append(all, c)
	}
	return all
}

func number(v any) float64 {
	switch n := v.(type) {
	case float64:
		return n
	case int64:
		return float64(n)
	case int:
		return float64(n)
	}
	return 0
}

// judge reports what should be true and is not, and what should not be and is.
func judge(p *analyze.Pass, o *mesh.Object, path string, all []condition, shouldBe, shouldNot []string) {
	if len(all) == 0 || !o.FromCluster() {
		return
	}
	generation := number(o.Field("metadata", "generation"))
	for _, c := range all {
		negative := c.status == "False" && slices.Contains(shouldBe, c.kind) || c.status == "True" && slices.Contains(shouldNot, c.kind)
		partly := c.kind == "WaypointAccepted" && c.reason == "PartiallyInvalid"
		stale := c.generation != 0 && c.generation < generation
		if !negative && !partly || stale || benign(c.reason) {
			continue
		}
		at := o.At("%s[%d].reason", path, c.index)
		p.Report(at, "%s is %s: %s%s", c.kind, strings.ToLower(c.status), c.reason, message(c)).
			Suggest("do what the message says: istiod writes it, and takes it back when it no longer holds")
	}
}

// message is a condition's text as the end of a sentence.
func message(c condition) string {
	text := strings.TrimRight(strings.Join(strings.Fields(c.message), " "), ".")
	if text == "" {
		return ""
	}
	return ", " + text
}

// benign says whether a reason is no more than that a controller is not done yet.
func benign(reason string) bool {
	return reason == "Pending" || reason == "Waiting" || reason == "NotReconciled"
}
