package gatewayapi

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// BackendTLSTarget finds BackendTLSPolicies for what is not there.
var BackendTLSTarget = &analyze.Check{
	Code: "MSH0310", Name: "missing-backend-tls-target", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.BackendTLSPolicy},
	Uses:  []mesh.Kind{mesh.Service, mesh.ServiceEntry},
	Doc: analyze.Doc{
		What: "A BackendTLSPolicy targets a Service or ServiceEntry that is not in its namespace, or a port name that it does not have.",
		Why:  "The policy applies to nothing: gateways talk plain text to a backend that expects TLS, or do not verify its certificate.",
		Fix:  "Correct the name. A BackendTLSPolicy reaches its own namespace only, and sectionName is the name of a port.",
	},
	Run: func(p *analyze.Pass) {
		for _, policy := range p.BackendTLSPolicies() {
			for i, ref := range policy.Spec.TargetRefs {
				kind, ok := mesh.KindOf(apiVersion(string(ref.Group)), string(ref.Kind))
				if !ok || kind != mesh.Service && kind != mesh.ServiceEntry {
					continue
				}
				target := p.Get(kind, policy.Namespace, string(ref.Name))
				switch {
				case target == nil && !p.KnownIn(kind, policy.Namespace):
					p.CantTell(kind, policy.Namespace)
				case target == nil:
					f := p.Report(policy.At("spec.targetRefs[%d].name", i), "there is no %s %q in namespace %q", kind.Kind, ref.Name, policy.Namespace)
					if kind == mesh.Service {
						suggestService(p, f, string(ref.Name), policy.Namespace)
					}
				case ref.SectionName != nil && kind == mesh.Service:
					missingPortName(p, policy.At("spec.targetRefs[%d].sectionName", i), policy.Namespace, string(ref.Name), string(*ref.SectionName))
				}
			}
		}
	},
}

func missingPortName(p *analyze.Pass, at mesh.Location, namespace, name, section string) {
	svc := service(p, namespace, name)
	var names []string
	for _, port := range svc.Spec.Ports {
		names = append(names, port.Name)
	}
	if slices.Contains(names, section) {
		return
	}
	f := p.Report(at, "Service %q has no port named %q", namespace+"/"+name, section).
		Evidence(svc.At("spec.ports"), "has the ports %s", strings.Join(names, ", "))
	if best := hint.Closest(section, names); best != "" {
		f.Suggest("change it to %q", best)
	}
}

// apiVersion is some version of a group: KindOf does not look at it.
func apiVersion(group string) string {
	if group == "" {
		return "v1"
	}
	return group + "/v1"
}
