package ambient

import (
	"fmt"
	"sort"

	typev1beta1 "istio.io/api/type/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// TargetWithoutWaypoint finds policies for Services whose traffic no waypoint sees.
var TargetWithoutWaypoint = &analyze.Check{
	Code: "MSH0421", Name: "target-without-waypoint", Severity: analyze.Error, KIA: "KIA1317",
	Reads: []mesh.Kind{mesh.Service, mesh.Namespace},
	Uses:  targetKinds(mesh.KubernetesGateway, mesh.GatewayClass),
	Doc: analyze.Doc{
		What: "A policy names a Service or ServiceEntry in targetRefs that uses no waypoint.",
		Why:  "Only waypoints take policies for Services. Sidecars and ztunnel pass over what has targetRefs: the AuthorizationPolicy refuses nobody, the RequestAuthentication verifies nothing.",
		Fix:  "Label the Service or its namespace istio.io/use-waypoint with the name of a waypoint. For workloads with sidecars use a selector instead.",
	},
	Run: func(p *analyze.Pass) {
		eachTarget(p, func(o *mesh.Object, at mesh.Location, kind mesh.Kind, ref *typev1beta1.PolicyTargetReference) {
			target := p.Get(kind, o.Namespace, ref.GetName())
			if target == nil || kind != mesh.Service && kind != mesh.ServiceEntry {
				return
			}
			b := p.ServiceWaypoint(target)
			switch {
			case b.State == mesh.BindingUnknown && b.Name == "":
				p.CantTell(mesh.Namespace, "")
			case b.State == mesh.Unbound:
				f := p.Report(at, "%s uses no waypoint, so nothing takes the %s", target.Ref, o.Kind.Kind).
					Suggest("label %s or its namespace %s with the name of a waypoint", target.Ref, mesh.UseWaypointLabel)
				if b.OptedOut {
					f.Evidence(b.Label, "opts out of waypoints")
				}
				grade(f, o)
			}
		})
	},
}

// MissingTarget finds policies for what is not there.
var MissingTarget = &analyze.Check{
	Code: "MSH0422", Name: "missing-policy-target", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.Service, mesh.KubernetesGateway},
	Uses:  targetKinds(),
	Doc: analyze.Doc{
		What: "A policy names a Service, ServiceEntry or Gateway API Gateway in targetRefs that is not in its namespace.",
		Why:  "The policy applies to nothing: an AuthorizationPolicy refuses nobody, a RequestAuthentication verifies nothing.",
		Fix:  "Correct the name. Targets are always in the policy's own namespace.",
	},
	Run: func(p *analyze.Pass) {
		eachTarget(p, func(o *mesh.Object, at mesh.Location, kind mesh.Kind, ref *typev1beta1.PolicyTargetReference) {
			switch {
			case p.Get(kind, o.Namespace, ref.GetName()) != nil:
			case !p.KnownIn(kind, o.Namespace):
				p.CantTell(kind, o.Namespace)
			default:
				f := p.Report(at, "there is no %s %q in namespace %q", kind.Kind, ref.GetName(), o.Namespace)
				p.Advise(func() {
					if best := hint.Closest(ref.GetName(), namesIn(p, kind, o.Namespace)); best != "" {
						f.Suggest("change it to %q", best)
					}
				})
				grade(f, o)
			}
		})
	},
}

// namesIn are the names of the Services, ServiceEntries or Gateways of a namespace.
func namesIn(p *analyze.Pass, kind mesh.Kind, namespace string) []string {
	all := p.Objects(kind)
	from := sort.Search(len(all), func(i int) bool { return all[i].Namespace >= namespace })
	to := sort.Search(len(all), func(i int) bool { return all[i].Namespace > namespace })
	var names []string
	for _, o := range all[from:to] {
		names = append(names, o.Name)
	}
	return names
}

// grade makes findings milder that cost no security.
func grade(f *analyze.Finding, o *mesh.Object) {
	if o.Kind != mesh.AuthorizationPolicy && o.Kind != mesh.RequestAuthentication {
		f.As(analyze.Warning)
	}
}

func targetKinds(more ...mesh.Kind) []mesh.Kind {
	return append(more, mesh.ServiceEntry, mesh.AuthorizationPolicy, mesh.RequestAuthentication, mesh.WasmPlugin, mesh.TrafficExtension, mesh.Telemetry)
}

// eachTarget calls f for every target that a policy names in its own namespace.
func eachTarget(p *analyze.Pass, f func(o *mesh.Object, at mesh.Location, kind mesh.Kind, ref *typev1beta1.PolicyTargetReference)) {
	targets(p.AuthorizationPolicies(), f)
	targets(p.RequestAuthentications(), f)
	targets(p.WasmPlugins(), f)
	targets(p.TrafficExtensions(), f)
	targets(p.Telemetries(), f)
}

func targets[T attachable](list []*mesh.Resource[T], f func(*mesh.Object, mesh.Location, mesh.Kind, *typev1beta1.PolicyTargetReference)) {
	for _, r := range list {
		old, ok := any(r.Spec).(interface {
			GetTargetRef() *typev1beta1.PolicyTargetReference
		})
		if len(r.Spec.GetTargetRefs()) == 0 && ok && old.GetTargetRef() != nil {
			target(r.Object, "spec.targetRef", old.GetTargetRef(), f)
		}
		for i, ref := range r.Spec.GetTargetRefs() {
			target(r.Object, fmt.Sprintf("spec.targetRefs[%d]", i), ref, f)
		}
	}
}

func target(o *mesh.Object, path string, ref *typev1beta1.PolicyTargetReference, f func(*mesh.Object, mesh.Location, mesh.Kind, *typev1beta1.PolicyTargetReference)) {
	group := ref.GetGroup()
	if group == "core" {
		group = ""
	}
	version := "v1"
	if group != "" {
		version = group + "/v1"
	}
	kind, ok := mesh.KindOf(version, ref.GetKind())
	if !ok || ref.GetNamespace() != "" && ref.GetNamespace() != o.Namespace {
		return
	}
	if kind == mesh.Service || kind == mesh.ServiceEntry || kind == mesh.KubernetesGateway {
		f(o, o.At("%s.name", path), kind, ref)
	}
}
