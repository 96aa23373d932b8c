package envoyfilter

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// replaceable says whether istiod replaces things of a kind.
func replaceable(kind networking.EnvoyFilter_ApplyTo) bool {
	switch kind {
	case networking.EnvoyFilter_LISTENER_FILTER, networking.EnvoyFilter_NETWORK_FILTER,
		networking.EnvoyFilter_HTTP_FILTER, networking.EnvoyFilter_VIRTUAL_HOST:
		return true
	}
	return false
}

// ReplaceIneffective finds REPLACE where istiod ignores it.
var ReplaceIneffective = &analyze.Check{
	Code: "IST0152", Name: "ineffective-replace", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.EnvoyFilter},
	Doc: analyze.Doc{
		What: "A patch replaces something other than a filter or virtual host, or a filter that it does not name.",
		Why:  "istiod replaces only LISTENER_FILTER, NETWORK_FILTER, HTTP_FILTER and VIRTUAL_HOST, and filters only by name. All else it ignores without a word: the proxy keeps what it had.",
		Fix:  "Use MERGE, or REMOVE and ADD; or name the filter in match.",
	},
	Run: func(p *analyze.Pass) {
		for _, x := range patches(p) {
			if x.op() != opReplace {
				continue
			}
			kind := x.spec.GetApplyTo()
			switch {
			case !replaceable(kind):
				p.Report(x.atOperation(), "REPLACE does nothing to %s: only filters and virtual hosts can be replaced", kind).
					Suggest("use MERGE")
			case kind != networking.EnvoyFilter_VIRTUAL_HOST && x.anchor() == "":
				p.Report(x.atOperation(), "REPLACE does nothing: match names no filter to replace").
					Suggest("name the filter in match.listener")
			}
		}
	},
}

// AddIneffective finds ADD where istiod ignores it.
var AddIneffective = &analyze.Check{
	Code: "IST0153", Name: "ineffective-add", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.EnvoyFilter},
	Doc: analyze.Doc{
		What: "A patch adds a ROUTE_CONFIGURATION, or an HTTP_ROUTE. For the latter it is a warning: the API says that ADD is ignored there, but istiod appends the route.",
		Why:  "A route configuration cannot be added: istiod ignores the patch without a word. A route that is added comes last in its virtual host, behind the routes that match everything.",
		Fix:  "Use MERGE for a ROUTE_CONFIGURATION, INSERT_FIRST or INSERT_BEFORE for an HTTP_ROUTE.",
	},
	Run: func(p *analyze.Pass) {
		for _, x := range patches(p) {
			if x.op() != opAdd {
				continue
			}
			switch x.spec.GetApplyTo() {
			case networking.EnvoyFilter_ROUTE_CONFIGURATION:
				p.Report(x.atOperation(), "ADD does nothing to ROUTE_CONFIGURATION: it can only be merged").Suggest("use MERGE")
			case networking.EnvoyFilter_HTTP_ROUTE:
				p.Report(x.atOperation(), "ADD puts the route last, behind those that match everything, and the API does not promise even that").As(analyze.Warning).
					Suggest("use INSERT_FIRST or INSERT_BEFORE")
			}
		}
	},
}

// RemoveIneffective finds REMOVE where istiod ignores it.
var RemoveIneffective = &analyze.Check{
	Code: "IST0154", Name: "ineffective-remove", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.EnvoyFilter},
	Doc: analyze.Doc{
		What: "A patch removes a ROUTE_CONFIGURATION, or an HTTP_ROUTE. For the latter it is a warning: the API says that REMOVE is ignored there, but istiod removes the route.",
		Why:  "A route configuration cannot be removed: istiod ignores the patch without a word. That routes can be is not promised, and may end with an upgrade.",
		Fix:  "Remove the VIRTUAL_HOST, or change the VirtualService that the routes come from.",
	},
	Run: func(p *analyze.Pass) {
		for _, x := range patches(p) {
			if x.op() != opRemove {
				continue
			}
			switch x.spec.GetApplyTo() {
			case networking.EnvoyFilter_ROUTE_CONFIGURATION:
				p.Report(x.atOperation(), "REMOVE does nothing to ROUTE_CONFIGURATION: it can only be merged").Suggest("remove the VIRTUAL_HOST instead")
			case networking.EnvoyFilter_HTTP_ROUTE:
				p.Report(x.atOperation(), "REMOVE of an HTTP_ROUTE works in this istiod, but the API does not promise it").As(analyze.Warning).
					Suggest("change the VirtualService that the route comes from")
			}
		}
	},
}
