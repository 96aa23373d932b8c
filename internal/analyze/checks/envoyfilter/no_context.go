package envoyfilter

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"
	typebeta "istio.io/api/type/v1beta1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NoSuchContext finds patches in a context that none of their proxies has.
var NoSuchContext = &analyze.Check{
	Code: "MSH0727", Name: "patch-in-foreign-context", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter, mesh.Pod},
	Uses:  selector.Kinds(),
	Doc: analyze.Doc{
		What: "A patch is for the context GATEWAY, but none of the workloads that the EnvoyFilter is for is a gateway; or it is for a sidecar's context, but all of them are gateways; " +
			"or it is for the context WAYPOINT, which istiod does not know yet. An EnvoyFilter is for the workloads of its own namespace, unless it is in the root namespace.",
		Why: "istiod leaves the patch out for every one of these proxies, without a word.",
		Fix: "Change the context, or put the EnvoyFilter into the namespace of the workloads that are meant. Waypoints have the contexts SIDECAR_INBOUND and SIDECAR_OUTBOUND.",
	},
	Run: func(p *analyze.Pass) {
		ofAll := map[string]roles{} // those of whole namespaces
		for _, ef := range p.EnvoyFilters() {
			var found roles
			asked := false
			for i, spec := range ef.Spec.GetConfigPatches() {
				context := spec.GetMatch().GetContext()
				if context == networking.EnvoyFilter_ANY {
					continue
				}
				if !asked {
					found, asked = rolesFor(p, ef, ofAll), true
				}
				judgeContext(p, patch{ef, i, spec}, context, found)
			}
		}
	},
}

func judgeContext(p *analyze.Pass, x patch, context networking.EnvoyFilter_PatchContext, found roles) {
	at := x.filter.At("spec.configPatches[%d].match.context", x.index)
	switch {
	case context == networking.EnvoyFilter_WAYPOINT:
		p.Report(at, "no proxy has the context WAYPOINT: the istiod of Istio 1.31 has only reserved it").
			Suggest("change it to SIDECAR_INBOUND, which waypoints have")
	case !found.sure || slices.ContainsFunc(found.roles, func(r role) bool { return r == unclear || r.in(context) }):
	case context == networking.EnvoyFilter_GATEWAY:
		p.Report(at, "no proxy of the EnvoyFilter has the context GATEWAY: it is for %s, which %s", found.whose, "are no gateways").
			Suggest("change it to SIDECAR_INBOUND or SIDECAR_OUTBOUND, or move the EnvoyFilter to the gateway's namespace")
	default:
		p.Report(at, "no proxy of the EnvoyFilter has the context %s: it is for %s, which %s", context, found.whose, "are gateways").
			Suggest("change it to GATEWAY")
	}
}

// roles are those of the proxies that an EnvoyFilter is for.
type roles struct {
	roles []role
	whose string
	sure  bool // that there are some, and no others
}

// rolesFor are the roles of an EnvoyFilter's proxies. Those of all proxies of a
// namespace are asked for once.
func rolesFor(p *analyze.Pass, ef *mesh.Resource[*networking.EnvoyFilter], ofAll map[string]roles) roles {
	if refs := ef.Spec.GetTargetRefs(); len(refs) > 0 {
		found := roles{whose: "its targetRefs", sure: true}
		for _, ref := range refs {
			found.roles = append(found.roles, roleOfTarget(p, ef.Namespace, ref))
		}
		return found
	}
	labels, namespace := ef.Spec.GetWorkloadSelector().GetLabels(), scopeOf(p, ef)
	if len(labels) > 0 {
		return rolesIn(p, namespace, labels)
	}
	found, known := ofAll[namespace]
	if !known {
		found = rolesIn(p, namespace, nil)
		ofAll[namespace] = found
	}
	return found
}

// rolesIn are the roles of the proxies with labels in a namespace.
func rolesIn(p *analyze.Pass, namespace string, labels map[string]string) roles {
	found := roles{whose: "the workloads that its selector picks", sure: p.KnowsWorkloads(namespace)}
	if namespace == "" {
		found.sure = p.KnownEverywhere(mesh.Pod)
	}
	if len(labels) == 0 {
		if namespace == "" {
			return roles{} // for all of the mesh
		}
		found.whose = `the workloads of namespace "` + namespace + `"`
		found.sure = p.KnownEverywhere(mesh.Pod)
	}
	for _, w := range slices.Concat(p.Select(namespace, labels), p.RunningPods(namespace, labels)) {
		if r := roleOf(w); !slices.Contains(found.roles, r) {
			found.roles = append(found.roles, r)
		}
	}
	if p.SelectsMachines(namespace, labels) || p.SelectsProvisioned(namespace, labels) {
		found.roles = append(found.roles, unclear)
	}
	found.sure = found.sure && len(found.roles) > 0 // else MSH0721
	return found
}

// roleOfTarget is the role of the proxies of a target.
func roleOfTarget(p *analyze.Pass, namespace string, ref *typebeta.PolicyTargetReference) role {
	switch ref.GetKind() {
	case "Service", "ServiceEntry":
		return sidecar // their waypoint
	case "GatewayClass":
		return roleOfClass(ref.GetName())
	case "Gateway":
		if gw := p.Get(mesh.KubernetesGateway, namespace, ref.GetName()); gw != nil {
			return roleOfClass(string(mesh.As[*gatewayapi.GatewaySpec](gw).Spec.GatewayClassName))
		}
	}
	return unclear
}

func roleOfClass(name string) role {
	switch name {
	case "istio":
		return gateway
	case "istio-waypoint":
		return sidecar
	}
	return unclear
}
