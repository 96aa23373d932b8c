package envoyfilter

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	_ "istio.io/istio/pkg/config/xds" // the types of Envoy's API, as istiod of this release knows them

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownField finds patches that say what Envoy's API does not have.
var UnknownField = &analyze.Check{
	Code: "MSH0720", Name: "unknown-envoy-field", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter},
	Doc: analyze.Doc{
		What: "A patch's value has a field that Envoy's API does not have at that place, or a typed configuration of a type that does not exist, in the Envoy of Istio 1.31.",
		Why:  "istiod drops an unknown field and sends the rest, so that the patch does less than it says. A patch with an unknown type is refused as a whole.",
		Fix:  "Correct the name. Envoy's reference of the v3 API is at https://www.envoyproxy.io/docs/envoy/latest/api-v3/api. A field that a newer Envoy has will work there only.",
	},
	Run: func(p *analyze.Pass) {
		for _, ef := range p.EnvoyFilters() {
			raw, _ := ef.Field("spec", "configPatches").([]any)
			for i, x := range ef.Spec.GetConfigPatches() {
				if i < len(raw) {
					judgeValue(p, ef, i, x.GetApplyTo(), raw[i])
				}
			}
		}
	},
}

func judgeValue(p *analyze.Pass, ef *mesh.Resource[*networking.EnvoyFilter], i int, on networking.EnvoyFilter_ApplyTo, raw any) {
	patch, _ := raw.(map[string]any)
	inner, _ := patch["patch"].(map[string]any)
	path := mesh.Path{"spec", "configPatches", i, "patch", "value"}
	for _, problem := range mesh.EnvoyProblems(path, inner["value"], envoyType(on)) {
		at := ef.At("%s", problem.Path)
		best := hint.Closest(problem.Value, problem.Known)
		if problem.Type != "" {
			f := p.Report(at, "%s in the Envoy of Istio 1.31", problem.Message).As(analyze.Error)
			switch {
			case best != "":
				f.Suggest("change it to %q", best)
			case len(problem.Known) == 1:
				f.Suggest("change it to %q", problem.Known[0])
			}
			continue
		}
		at.Key = true
		f := p.Report(at, "unknown field %q: the Envoy of Istio 1.31 has none of this name here", problem.Value)
		switch {
		case problem.Belongs != "":
			f.Suggest("move it to %s, where it is a field", problem.Belongs)
		case best != "":
			f.Suggest("change it to %q", best)
		default:
			f.Suggest("remove it, or move it where it belongs; the fields here are %s", strings.Join(problem.Known, ", "))
		}
	}
}

// envoyType is the message that a patch's value is.
func envoyType(on networking.EnvoyFilter_ApplyTo) string {
	switch on {
	case networking.EnvoyFilter_LISTENER:
		return "envoy.config.listener.v3.Listener"
	case networking.EnvoyFilter_FILTER_CHAIN:
		return "envoy.config.listener.v3.FilterChain"
	case networking.EnvoyFilter_LISTENER_FILTER:
		return "envoy.config.listener.v3.ListenerFilter"
	case networking.EnvoyFilter_NETWORK_FILTER:
		return "envoy.config.listener.v3.Filter"
	case networking.EnvoyFilter_HTTP_FILTER:
		return "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter"
	case networking.EnvoyFilter_ROUTE_CONFIGURATION:
		return "envoy.config.route.v3.RouteConfiguration"
	case networking.EnvoyFilter_VIRTUAL_HOST:
		return "envoy.config.route.v3.VirtualHost"
	case networking.EnvoyFilter_HTTP_ROUTE:
		return "envoy.config.route.v3.Route"
	case networking.EnvoyFilter_CLUSTER:
		return "envoy.config.cluster.v3.Cluster"
	case networking.EnvoyFilter_EXTENSION_CONFIG:
		return "envoy.config.core.v3.TypedExtensionConfig"
	case networking.EnvoyFilter_BOOTSTRAP:
		return "envoy.config.bootstrap.v3.Bootstrap"
	}
	return ""
}
