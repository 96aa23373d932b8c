package trace

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// routePick is which route of a virtual host a call gets.
type routePick struct {
	route    *route // nil when none matches
	index    int
	rejected []Candidate
	// unsure is why it may be another: a route that may or may not match stands
	// before; maybes are these and the first that surely does.
	unsure string
	maybes []*route
}

// pickRoute is the first route that matches.
func (t *routeTable) pickRoute(h *virtualHost, routes []route, c *Call) routePick {
	var p routePick
	for i := range routes {
		r := &routes[i]
		v := r.Match.match(c, t.IgnoreParams)
		switch v.Answer {
		case No:
			p.rejected = append(p.rejected, Candidate{Name: r.title(i), Why: v.Why, Owner: r.owner()})
			continue
		case Maybe:
			if p.unsure == "" {
				p.unsure = v.Why
			}
			p.maybes = append(p.maybes, r)
			continue
		}
		if p.unsure != "" {
			p.maybes = append(p.maybes, r)
			return p
		}
		p.route, p.index = r, i
		return p
	}
	return p
}

// title is what a route is called in the answer: its name and condition.
func (r *route) title(i int) string {
	return fmt.Sprintf("%d %s", i+1, strings.TrimSpace(r.Name+" "+r.Match.text()))
}

// match is Yes when all conditions are. They are tried in Envoy's order, so
// the reason of a No is the first that failed.
func (m *routeMatch) match(c *Call, ignoreParams bool) Verdict {
	if c.Path == "" && m.Connect == nil {
		return no("the request has no path")
	}
	checks := []func(*Call) Verdict{
		func(c *Call) Verdict { return m.matchPath(c, ignoreParams) },
		m.matchFraction, m.matchGRPC,
		func(c *Call) Verdict { return matchHeaders(m.Headers, c) },
		m.matchQuery, m.matchCookies, m.matchTLS, m.matchMetadata,
	}
	unsure := yes()
	for _, check := range checks {
		if unsure = all(unsure, check(c)); unsure.Answer == No {
			return unsure
		}
	}
	return unsure
}

func (m *routeMatch) matchPath(c *Call, ignoreParams bool) Verdict {
	anyPath := m.Connect != nil || m.Prefix != nil && (*m.Prefix == "/" || *m.Prefix == "")
	if why := c.pathUnknown(); why != "" && !anyPath {
		return maybe("the path may have been changed by " + why)
	}
	path := barePath(c.Path)
	if ignoreParams {
		path = withoutParams(path)
	}
	fold := func(s string) string {
		if m.CaseSensitive != nil && !*m.CaseSensitive {
			return asciiLower(s)
		}
		return s
	}
	test := func(ok bool, why, want string) Verdict {
		if ok {
			return yes()
		}
		return no(fmt.Sprintf("the path %s %s %s", path, why, want))
	}
	switch {
	case m.Path != nil:
		return test(fold(path) == fold(*m.Path), "is not", *m.Path)
	case m.Prefix != nil:
		return test(strings.HasPrefix(fold(path), fold(*m.Prefix)), "does not begin with", *m.Prefix)
	case m.Separated != nil:
		rest, ok := strings.CutPrefix(fold(path), fold(*m.Separated))
		return test(ok && (rest == "" || rest[0] == '/'), "is not below", *m.Separated)
	case m.Regex != nil:
		return m.Regex.match("the path", path)
	case m.Connect != nil:
		if c.Method == "CONNECT" {
			return yes()
		}
		return no("the method is " + c.Method + ", not CONNECT")
	case m.Policy != nil:
		return m.matchTemplate(path)
	}
	return maybe("the route matches paths in a way unknown here")
}

// barePath is a path without its query and fragment.
func barePath(path string) string {
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		return path[:i]
	}
	return path
}

// withoutParams takes what follows a semicolon off each segment.
func withoutParams(path string) string {
	if !strings.Contains(path, ";") {
		return path
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}

// matchFraction is of routes for a share of requests: only none and all are decided.
func (m *routeMatch) matchFraction(c *Call) Verdict {
	if m.Fraction == nil {
		return yes()
	}
	switch share := m.Fraction.Default.percent(); {
	case c.runtime[m.Fraction.Key]:
		return maybe(fmt.Sprintf("the route is for a share of requests that the runtime key %s sets", m.Fraction.Key))
	case share >= 100:
		return yes()
	case share <= 0:
		return no("the route is for 0% of requests")
	default:
		return maybe(fmt.Sprintf("the route is for %g%% of requests", share))
	}
}

func (m *routeMatch) matchGRPC(c *Call) Verdict {
	if m.GRPC == nil {
		return yes()
	}
	contentType, _, unknown := c.header("content-type")
	if unknown != "" {
		return maybe("header content-type may have been set by " + unknown)
	}
	rest, ok := strings.CutPrefix(contentType, "application/grpc")
	if ok && (rest == "" || rest[0] == '+') {
		return yes()
	}
	return no("the request is no gRPC: its content-type is not application/grpc")
}

func (m *routeMatch) matchQuery(c *Call) Verdict {
	if why := c.pathUnknown(); why != "" && len(m.Query) > 0 {
		return maybe("the query may have been changed by " + why)
	}
	unsure := yes()
	for i := range m.Query {
		if unsure = all(unsure, m.Query[i].match(c)); unsure.Answer == No {
			return unsure
		}
	}
	return unsure
}

// cookieMatcher is Envoy's CookieMatcher.
type cookieMatcher struct {
	Name   string         `json:"name"`
	String *stringMatcher `json:"string_match"`
	Invert bool           `json:"invert_match"`
}

func (m *routeMatch) matchCookies(c *Call) Verdict {
	if m.Cookies == nil {
		return yes()
	}
	var matchers []cookieMatcher
	if json.Unmarshal(m.Cookies, &matchers) != nil {
		return maybe("the route's condition on cookies cannot be read here")
	}
	lines, unknown := c.headerLines("cookie")
	if unknown != "" {
		return maybe("header cookie may have been set by " + unknown)
	}
	unsure := yes()
	for _, m := range matchers {
		v := no("cookie " + m.Name + " is missing")
		for pair := range strings.SplitSeq(strings.Join(lines, ";"), ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
			if name == m.Name {
				v = yes()
				if m.String != nil {
					v = m.String.match("cookie "+m.Name, strings.Trim(value, `"`))
				}
				break
			}
		}
		if m.Invert {
			v = v.not("cookie " + m.Name + " has the value that is excluded")
		}
		if unsure = all(unsure, v); unsure.Answer == No {
			return unsure
		}
	}
	return unsure
}

// matchTLS is the condition on the client's certificate.
func (m *routeMatch) matchTLS(c *Call) Verdict {
	if m.TLS == nil || m.TLS.Presented == nil && m.TLS.Validated == nil {
		return yes()
	}
	if !c.Conn.Terminated {
		return no("the connection is not TLS")
	}
	if !c.Conn.PeerKnown {
		return maybe("whether the client presents a certificate is not known")
	}
	has := c.Conn.Peer != ""
	if m.TLS.Presented != nil && *m.TLS.Presented != has {
		return no(map[bool]string{true: "the client presents a certificate", false: "the client presents no certificate"}[has])
	}
	if m.TLS.Validated != nil && *m.TLS.Validated != has {
		return no(map[bool]string{true: "the client's certificate is valid", false: "the client has no valid certificate"}[has])
	}
	return yes()
}

func (m *routeMatch) matchMetadata(c *Call) Verdict {
	unsure := yes()
	for i := range m.Dynamic {
		if unsure = all(unsure, m.Dynamic[i].matchCall(c)); unsure.Answer == No {
			return unsure
		}
	}
	if m.FilterState != nil && string(m.FilterState) != "[]" {
		unsure = all(unsure, maybe("the route depends on the filter state"))
	}
	return unsure
}

// text is the condition as people read it.
func (m *routeMatch) text() string {
	var parts []string
	switch {
	case m.Path != nil:
		parts = append(parts, *m.Path)
	case m.Prefix != nil:
		parts = append(parts, *m.Prefix+"*")
	case m.Separated != nil:
		parts = append(parts, *m.Separated+"[/*]")
	case m.Regex != nil:
		parts = append(parts, "regex "+m.Regex.Regex)
	case m.Connect != nil:
		parts = append(parts, "CONNECT")
	case m.Policy != nil:
		parts = append(parts, textOf(member(m.Policy.Config, "path_template")))
	}
	for i := range m.Headers {
		parts = append(parts, m.Headers[i].title())
	}
	for i := range m.Query {
		q := &m.Query[i]
		value := "*"
		if q.String != nil {
			value = proxyconfig.RedactHeader(q.Name, q.String.String())
		}
		parts = append(parts, "?"+q.Name+"="+value)
	}
	return strings.Join(parts, " ")
}
