package trace

import (
	"fmt"
	"regexp"
	"strings"
)

// matchTemplate matches a path with a URI template such as /a/{id}/*/b/**.
func (m *routeMatch) matchTemplate(path string) Verdict {
	template := textOf(member(m.Policy.Config, "path_template"))
	if !strings.HasSuffix(m.Policy.typeURL(), ".UriTemplateMatchConfig") || template == "" {
		return maybe("paths are matched by an extension: " + shortType(m.Policy.typeURL()))
	}
	re, err := templateRegexp(template)
	switch {
	case err != nil:
		return maybe(fmt.Sprintf("the template %s cannot be read here", template))
	case re.MatchString(path):
		return yes()
	}
	return no(fmt.Sprintf("the path %s does not fit %s", path, template))
}

// templateRegexp is a template as a regular expression: * is one segment, **
// any rest, {name} one segment and {name=pattern} what the pattern is.
func templateRegexp(template string) (*regexp.Regexp, error) {
	const segment = `[a-zA-Z0-9\-._~%!$&'()+,;=:@]`
	pattern := func(p string) string {
		p = strings.ReplaceAll(regexp.QuoteMeta(p), `\*\*`, "\x00")
		p = strings.ReplaceAll(p, `\*`, segment+"+")
		return strings.ReplaceAll(p, "\x00", strings.TrimSuffix(segment, "]")+"/]*")
	}
	var b strings.Builder
	rest := template
	for {
		before, after, ok := strings.Cut(rest, "{")
		b.WriteString(pattern(before))
		if !ok {
			break
		}
		variable, tail, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("no end of a variable in %q", template)
		}
		name, form, has := strings.Cut(variable, "=")
		if !has {
			form = "*"
		}
		fmt.Fprintf(&b, "(?P<%s>%s)", name, pattern(form))
		rest = tail
	}
	return regexp.Compile(`\A` + b.String() + `\z`)
}
