package deadconfig

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ShadowedRoute finds routes that earlier ones leave nothing to, beyond what
// istiod's own validation sees.
var ShadowedRoute = &analyze.Check{
	Code: "MSH0903", Name: "shadowed-route", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "Whatever a match of an HTTP route asks for, an earlier route asks for less of it: its headers, methods, paths or query parameters include those of the later one. That a match is written twice, or a path is under an earlier prefix, is said by IST0130 and IST0131.",
		Why:  "Routes are tried in order, and the first that matches is taken: this one never is.",
		Fix:  "Put the more specific route first.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			shadowed(p, vs)
		}
	},
}

// placed is a match and where it stands.
type placed struct {
	*networking.HTTPMatchRequest
	route, match int
}

// shadowed reports the first match of each route that earlier ones cover.
func shadowed(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService]) {
	if len(vs.Spec.GetHttp()) < 2 {
		return
	}
	earlier := newEarlier(vs.Spec)
	for i, route := range vs.Spec.GetHttp() {
		var by []placed
		covered := -1
		for j, m := range route.GetMatch() {
			if cover, ok := earlier.covering(m); ok {
				by = append(by, cover)
				if covered < 0 {
					covered = j
				}
			}
		}
		switch all := len(by) == len(route.GetMatch()); {
		case len(by) == 0:
		case all:
			report(p, vs, placed{route.GetMatch()[covered], i, covered}, by[0], "the route is never taken")
		default:
			report(p, vs, placed{route.GetMatch()[covered], i, covered}, by[0], "the match is never met").As(analyze.Info)
		}
		// A delegate may match less than it is asked for.
		if route.GetDelegate() == nil {
			for j, m := range route.GetMatch() {
				earlier.add(placed{m, i, j})
			}
		}
	}
}

func report(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService], late, early placed, what string) *analyze.Finding {
	return p.Report(vs.At("spec.http[%d].match[%d]", late.route, late.match), "%s: %s takes all that this asks for", what, routeName(vs.Spec, early.route)).
		Evidence(vs.At("spec.http[%d].match[%d]", early.route, early.match), "comes first and asks for less").
		Suggest("put the route in front of %s", routeName(vs.Spec, early.route))
}

func routeName(vs *networking.VirtualService, i int) string {
	if name := vs.GetHttp()[i].GetName(); name != "" {
		return fmt.Sprintf("route %q", name)
	}
	return fmt.Sprintf("http[%d]", i)
}
