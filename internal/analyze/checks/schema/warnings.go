package schema

import (
	"strings"

	"istio.io/istio/pkg/log"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Doubtful finds objects that istiod accepts with a warning.
var Doubtful = &analyze.Check{
	Code: "IST0133", Name: "doubtful-object", Severity: analyze.Warning,
	Uses: append(istioKinds(), mesh.KubernetesGateway),
	Doc: analyze.Doc{
		What: "istiod accepts an object, and warns of something in it: a deprecated field, a setting without effect, or one that rarely is what was meant.",
		Why:  "The object works, but not as it says, or no longer after an upgrade. kubectl shows such warnings once, when the object is applied; controllers that apply it swallow them.",
		Fix:  "Follow the message. The reference of each kind is at https://istio.io/latest/docs/reference/config/.",
	},
	Run: func(p *analyze.Pass) {
		for _, kind := range istioKinds() {
			objects := p.Objects(kind)
			for i, v := range verdictsOf(p, kind) {
				o := objects[i]
				for _, warning := range v.warnings {
					if _, typed := asAware(warning); !typed && !routine(warning.Error()) && !toldOfEnvoy(p, o, warning) &&
						!deniesNoTCP(p, o, warning) && !meansOwnNamespace(p, o, warning) {
						p.Report(place(o, warning.Error()), "%s", oneLine(warning))
					}
				}
			}
		}
	},
}

// routine says whether a warning tells nothing of the object: every
// EnvoyFilter gets one, and missing addresses are judged with the rest of the
// mesh (IST0134).
func routine(message string) bool {
	return strings.Contains(message, "exposes internal implementation details") || strings.Contains(message, "IP Autoallocation is not enabled")
}

// quiet keeps Istio's validators from writing to stderr what they return as
// well. It may be called often.
func quiet() {
	if scope := log.FindScope("validation"); scope != nil {
		scope.SetOutputLevel(log.NoneLevel)
	}
}

// toldOfEnvoy says whether another check tells of the same, with the place: a
// field or a type that Envoy does not have, or a filter's old name.
func toldOfEnvoy(p *analyze.Pass, o *mesh.Object, err error) bool {
	text := err.Error()
	if o.Kind == mesh.EnvoyFilter && p.Runs("patch-for-no-filter") && strings.Contains(text, "using deprecated filter name") {
		return true
	}
	return o.Kind == mesh.EnvoyFilter && p.Runs("unknown-envoy-field") &&
		(strings.Contains(text, "unknown field ") || strings.Contains(text, "could not resolve Any message type") || strings.Contains(text, "unable to resolve "))
}
