package trace

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// act does what the route says.
func (h *httpWalk) act() {
	r := h.route
	switch {
	case r.Redirect != nil:
		h.redirect(r.Redirect)
	case r.Direct != nil:
		text := fmt.Sprintf("the route itself answers with status %d", r.Direct.Status)
		h.step(Step{Name: "action", State: OK, Text: text, Owner: r.owner()})
		h.end(DirectResponse, text, func(o *Outcome) {
			o.Status, o.Detail, o.Owner = r.Direct.Status, "direct_response", r.owner()
		})
	case r.Action != nil:
		h.forward(r.Action)
	default:
		h.stuck("action", "the route has an action that is unknown here", "the action of route "+r.Name)
	}
}

// redirectCodes are the names of RedirectAction's codes.
func redirectCode(name string) int {
	switch name {
	case "FOUND":
		return 302
	case "SEE_OTHER":
		return 303
	case "TEMPORARY_REDIRECT":
		return 307
	case "PERMANENT_REDIRECT":
		return 308
	}
	return 301
}

func (h *httpWalk) redirect(r *redirectAction) {
	code := redirectCode(r.Code)
	location, why := h.location(r)
	if why != "" {
		h.pass("action", "where the redirect leads: "+why)
	}
	text := fmt.Sprintf("the route redirects to %s with %d", location, code)
	h.step(Step{Name: "action", State: OK, Text: text, Owner: h.route.owner()})
	h.end(Redirected, text, func(o *Outcome) {
		o.Status, o.Detail, o.Location, o.Owner = code, "direct_response", location, h.route.owner()
	})
}

// location is where a redirect leads; why says what of it is not known.
func (h *httpWalk) location(r *redirectAction) (location, why string) {
	scheme := h.call.Scheme
	switch {
	case r.Scheme != "":
		scheme = r.Scheme
	case r.HTTPS:
		scheme = "https"
	}
	host, port := r.Host, ""
	if r.Port != 0 {
		port = ":" + strconv.Itoa(r.Port)
	}
	if host == "" {
		host = h.redirectHost(scheme, port)
	}
	path := h.call.Path
	hasQuery := false
	switch {
	case r.Path != "":
		path, hasQuery = r.Path, strings.Contains(r.Path, "?")
		if _, query, ok := strings.Cut(h.call.Path, "?"); ok && !hasQuery {
			path += "?" + query
		}
	case r.PrefixRewrite != "" || r.RegexRewrite != nil:
		path, why = h.rewritten(r.PrefixRewrite, r.RegexRewrite, nil)
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if r.StripQuery && !hasQuery {
		path, _, _ = strings.Cut(path, "?")
	}
	return proxyconfig.RedactText(scheme + "://" + host + port + path), why
}

// redirectHost is the request's host, without its port where the redirect
// names another or changes the scheme that the port belongs to.
func (h *httpWalk) redirectHost(scheme, port string) string {
	host := h.call.Authority
	colon := portStart(host)
	if colon == len(host) {
		return host
	}
	own := host[colon:]
	proto, _ := h.call.Headers.Get("x-forwarded-proto")
	if port != "" || scheme != proto && (proto == "https" && own == ":443" || proto == "http" && own == ":80") {
		return host[:colon]
	}
	return host
}

// rewritten is the path after a rewrite; why says what is not known.
func (h *httpWalk) rewritten(prefix string, regex *regexRewrite, policy *extension) (path, why string) {
	full := h.call.Path
	bare, query := barePath(full), full[len(barePath(full)):]
	switch {
	case prefix != "":
		m := &h.route.Match
		matched := ""
		switch {
		case m.Prefix != nil:
			matched = *m.Prefix
		case m.Path != nil:
			matched = *m.Path
		case m.Separated != nil:
			matched = *m.Separated
		case m.Regex != nil, m.Policy != nil:
			return prefix + query, ""
		}
		return prefix + full[min(len(matched), len(full)):], ""
	case regex != nil:
		out, err := regex.replace(bare)
		if err != nil {
			return full, "the regular expression cannot be read here"
		}
		return out + query, ""
	case policy != nil:
		template := textOf(member(policy.Config, "path_template_rewrite"))
		match := textOf(member(h.matchPolicy(), "path_template"))
		re, err := templateRegexp(match)
		if err != nil || template == "" || !re.MatchString(bare) {
			return full, "the path is rewritten by an extension"
		}
		for i, name := range re.SubexpNames() {
			if name != "" {
				template = strings.ReplaceAll(template, "{"+name+"}", re.FindStringSubmatch(bare)[i])
			}
		}
		return template + query, ""
	}
	return full, ""
}

func (h *httpWalk) matchPolicy() []byte {
	if h.route.Match.Policy == nil {
		return nil
	}
	return h.route.Match.Policy.Config
}

// replace replaces all matches; \1 in the substitution is the first group.
func (r *regexRewrite) replace(text string) (string, error) {
	re, err := compileRewrite(r.Pattern.Regex)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	s := r.Substitution
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && '0' <= s[i+1] && s[i+1] <= '9':
			i++
			b.WriteString("${" + s[i:i+1] + "}")
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '\\':
			i++
			b.WriteByte('\\')
		case s[i] == '$':
			b.WriteString("$$")
		default:
			b.WriteByte(s[i])
		}
	}
	return re.ReplaceAllString(text, b.String()), nil
}

// duration is protobuf's way of writing one, for people; "0s" is none.
func duration(text string) string {
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return text
	case d == 0:
		return "none"
	}
	return d.String()
}
