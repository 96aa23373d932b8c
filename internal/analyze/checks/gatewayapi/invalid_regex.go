package gatewayapi

import (
	"fmt"
	"regexp"
	"strings"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// InvalidRegex finds regular expressions in routes that Envoy cannot compile.
var InvalidRegex = &analyze.Check{
	Code: "MSH0311", Name: "invalid-route-regex", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.HTTPRoute},
	Uses:  []mesh.Kind{mesh.GRPCRoute},
	Doc: analyze.Doc{
		What: "A match of type RegularExpression in an HTTPRoute or GRPCRoute does not compile. Envoy's expressions are RE2, which has no look-ahead, look-behind or back references.",
		Why:  "The proxies refuse routes with such an expression, and with them every other change to the routes of that port, until it is mended.",
		Fix:  "Write the expression in RE2 syntax, or use an Exact or PathPrefix match.",
	},
	Run: func(p *analyze.Pass) {
		for _, r := range p.HTTPRoutes() {
			for i, rule := range r.Spec.Rules {
				for j, m := range rule.Matches {
					base := fmt.Sprintf("spec.rules[%d].matches[%d]", i, j)
					if m.Path != nil && m.Path.Type != nil && *m.Path.Type == gatewayapi.PathMatchRegularExpression && m.Path.Value != nil {
						compile(p, r.At("%s.path.value", base), *m.Path.Value)
					}
					for k, h := range m.Headers {
						if h.Type != nil && *h.Type == gatewayapi.HeaderMatchRegularExpression {
							compile(p, r.At("%s.headers[%d].value", base, k), h.Value)
						}
					}
					for k, q := range m.QueryParams {
						if q.Type != nil && *q.Type == gatewayapi.QueryParamMatchRegularExpression {
							compile(p, r.At("%s.queryParams[%d].value", base, k), q.Value)
						}
					}
				}
			}
		}
		for _, r := range p.GRPCRoutes() {
			for i, rule := range r.Spec.Rules {
				for j, m := range rule.Matches {
					grpcRegex(p, r, fmt.Sprintf("spec.rules[%d].matches[%d]", i, j), m)
				}
			}
		}
	},
}

func grpcRegex(p *analyze.Pass, r *mesh.Resource[*gatewayapi.GRPCRouteSpec], base string, m gatewayapi.GRPCRouteMatch) {
	if m.Method != nil && m.Method.Type != nil && *m.Method.Type == gatewayapi.GRPCMethodMatchRegularExpression {
		if m.Method.Service != nil {
			compile(p, r.At("%s.method.service", base), *m.Method.Service)
		}
		if m.Method.Method != nil {
			compile(p, r.At("%s.method.method", base), *m.Method.Method)
		}
	}
	for k, h := range m.Headers {
		if h.Type != nil && *h.Type == gatewayapi.GRPCHeaderMatchRegularExpression {
			compile(p, r.At("%s.headers[%d].value", base, k), h.Value)
		}
	}
}

// compile reports an expression that RE2 does not take. \C is RE2's own.
func compile(p *analyze.Pass, at mesh.Location, expression string) {
	if _, err := regexp.Compile(expression); err != nil && !strings.Contains(expression, `\C`) {
		p.Report(at, "%q is no regular expression that Envoy takes: %s", expression, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
}
