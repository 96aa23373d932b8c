package schema

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	"istio.io/istio/pkg/config/validation"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnreachableRule finds routes that no request reaches.
var UnreachableRule = &analyze.Check{
	Code: "IST0130", Name: "unreachable-rule", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "A rule of a VirtualService is never used: an earlier one takes every request that it would match.",
		Why:  "Rules are tried in order, and the first that matches wins. Requests meant for the rule go where the earlier one sends them.",
		Fix:  "Move the rule before the one that hides it, narrow that one's match, or remove the rule. A rule without match belongs at the end.",
	},
	Run: func(p *analyze.Pass) {
		forRules(p, "VirtualServiceUnreachableRule", func(vs virtualService, aware *validation.AnalysisAwareError) {
			rule := parameter(aware, 0)
			reason := "an earlier rule without match takes everything"
			if strings.HasPrefix(parameter(aware, 1), "all matches used") {
				reason = "earlier rules have all its matches"
			}
			p.Report(vs.At("%s", rulePath(vs.Spec, rule)), "rule %s is never used: %s", rule, reason)
		})
	},
}

// IneffectiveMatch finds matches that an earlier one takes everything from.
var IneffectiveMatch = &analyze.Check{
	Code: "IST0131", Name: "ineffective-match", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "A match in a rule of a VirtualService is never used: an earlier rule has the same match, or one that covers it.",
		Why:  "Rules are tried in order. What the match was to catch goes where the earlier rule sends it.",
		Fix:  "Move the narrower match before the wider one, or remove it.",
	},
	Run: func(p *analyze.Pass) {
		forRules(p, "VirtualServiceIneffectiveMatch", func(vs virtualService, aware *validation.AnalysisAwareError) {
			rule, match, earlier := parameter(aware, 0), parameter(aware, 1), parameter(aware, 2)
			at := vs.At("%s", matchPath(vs.Spec, rule, match))
			name, prefix, wider := strings.Cut(match, " of prefix ")
			if !wider {
				p.Report(at, "match %s of rule %s is never used: rule %s has the same", name, rule, earlier)
				return
			}
			if cut := strings.LastIndex(earlier, " on "); cut >= 0 {
				_, widerPrefix, _ := strings.Cut(earlier[:cut], " of prefix ")
				p.Report(at, "match %s of rule %s is never used: rule %s takes %s, and with it %s", name, rule, earlier[cut+4:], widerPrefix, prefix)
			}
		})
	},
}

type virtualService = *mesh.Resource[*networking.VirtualService]

// forRules calls f for each of istiod's warnings of one type.
func forRules(p *analyze.Pass, kind string, f func(vs virtualService, aware *validation.AnalysisAwareError)) {
	all := p.VirtualServices()
	for i, v := range verdictsOf(p, mesh.VirtualService) {
		for _, warning := range v.warnings {
			if aware, ok := asAware(warning); ok && aware.Type == kind {
				f(all[i], aware)
			}
		}
	}
}

func asAware(err error) (*validation.AnalysisAwareError, bool) {
	var aware *validation.AnalysisAwareError
	ok := errors.As(err, &aware)
	return aware, ok
}

func parameter(aware *validation.AnalysisAwareError, i int) string {
	if i >= len(aware.Parameters) {
		return ""
	}
	return fmt.Sprint(aware.Parameters[i])
}

// rulePath is the place of a rule that istiod calls #2 or "by-name"; a
// VirtualService with rules of several protocols leaves open which #2 it is.
func rulePath(vs *networking.VirtualService, rule string) string {
	field := "http"
	switch http, tls, tcp := len(vs.GetHttp()), len(vs.GetTls()), len(vs.GetTcp()); {
	case strings.HasPrefix(rule, `"`):
	case http > 0 && tls == 0 && tcp == 0:
	case http == 0 && tls > 0 && tcp == 0:
		field = "tls"
	case http == 0 && tls == 0 && tcp > 0:
		field = "tcp"
	default:
		return "spec"
	}
	i := index(rule, func(name string) int {
		return slices.IndexFunc(vs.GetHttp(), func(r *networking.HTTPRoute) bool { return r.GetName() == name })
	})
	if i < 0 {
		return "spec." + field
	}
	return fmt.Sprintf("spec.%s[%d]", field, i)
}

// matchPath is the place of a match in a rule, called likewise; the text may go on.
func matchPath(vs *networking.VirtualService, rule, match string) string {
	path := rulePath(vs, rule)
	var i int
	if !strings.HasPrefix(path, "spec.http[") {
		i = index(match, func(string) int { return -1 })
	} else {
		var n int
		if _, err := fmt.Sscanf(path, "spec.http[%d]", &n); err != nil || n >= len(vs.GetHttp()) {
			return path
		}
		i = index(match, func(name string) int {
			return slices.IndexFunc(vs.GetHttp()[n].GetMatch(), func(m *networking.HTTPMatchRequest) bool { return m.GetName() == name })
		})
	}
	if i < 0 || !strings.HasSuffix(path, "]") {
		return path
	}
	return fmt.Sprintf("%s.match[%d]", path, i)
}

// index is the number in "#2 ...", or what byName finds for a quoted name; -1
// for anything else.
func index(text string, byName func(string) int) int {
	if quoted, err := strconv.QuotedPrefix(text); err == nil {
		name, _ := strconv.Unquote(quoted)
		return byName(name)
	}
	var n int
	if _, err := fmt.Sscanf(text, "#%d", &n); err != nil {
		return -1
	}
	return n
}
