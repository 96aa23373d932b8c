package envoyfilter

import (
	"slices"
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
		for _, x := range patches(p) {
			judgeValue(p, x)
		}
	},
}

func judgeValue(p *analyze.Pass, x patch) {
	path, value := x.value()
	for _, problem := range mesh.EnvoyProblems(path, value, envoyType(x.spec.GetApplyTo())) {
		at := x.filter.At("%s", problem.Path)
		best := hint.Closest(problem.Value, problem.Known)
		if problem.Type != "" {
			f := p.Report(at, "%s in the Envoy of Istio 1.31%s", problem.Message, versionTwo(problem.Type)).As(analyze.Error)
			switch {
			case len(problem.Known) == 1:
				f.Suggest("change it to %q", problem.Known[0])
			case best != "":
				f.Suggest("change it to %q", best)
			}
			continue
		}
		at.Key = true
		f := p.Report(at, "unknown field %q: the Envoy of Istio 1.31 has none of this name here", problem.Value)
		switch {
		case problem.Value == "config" && slices.Contains(problem.Known, "typed_config"):
			f.Suggest("use typed_config, with the \"@type\" of the configuration: Envoy 1.18, of Istio 1.10, ended config")
		case problem.Belongs != "":
			f.Suggest("move it to %s, where it is a field", problem.Belongs)
		case best != "":
			f.Suggest("change it to %q", best)
		default:
			f.Suggest("remove it, or move it where it belongs; the fields here are %s", strings.Join(problem.Known, ", "))
		}
	}
}

// versionTwo says of a type of the API's version 2 why there is none.
func versionTwo(name string) string {
	if strings.Contains(name, ".v2.") || strings.Contains(name, ".v2alpha") || strings.HasPrefix(name, "envoy.api.v2") {
		return ": Envoy 1.18, of Istio 1.10, ended version 2 of the API"
	}
	return ""
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
