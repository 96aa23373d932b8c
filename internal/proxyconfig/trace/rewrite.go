package trace

import (
	"strings"
)

// rewrite changes path, host and headers as the upstream gets them.
func (h *httpWalk) rewrite(a *routeAction) {
	path, why := h.rewritten(a.PrefixRewrite, a.RegexRewrite, a.PathRewrite)
	if why != "" {
		h.call.Unknown[":path"] = why
	}
	host := h.call.Authority
	switch {
	case h.target != nil && h.target.HostLiteral != "":
		host = h.target.HostLiteral
	case a.HostLiteral != "":
		host = a.HostLiteral
	case a.HostHeader != "":
		if value, ok := h.call.Headers.Get(strings.ToLower(a.HostHeader)); ok {
			host = value
		}
	case a.HostRegex != nil:
		if out, err := a.HostRegex.replace(barePath(h.call.Path)); err == nil {
			host = out
		}
	case a.HostAuto:
		h.call.Unknown[":authority"] = "the route, which puts the endpoint's host name there"
	}
	var changed []string
	if path != h.call.Path {
		changed = append(changed, "path "+path)
		h.call.Headers.Set("x-envoy-original-path", h.call.Path)
	}
	if host != h.call.Authority {
		changed = append(changed, "host "+host)
	}
	h.call.Path, h.call.Authority = path, host
	h.changeHeaders()
	h.walk.Outcome.Path, h.walk.Outcome.Authority = path, host
	if len(changed) > 0 {
		h.detail("action", "rewritten to "+strings.Join(changed, ", "))
	}
}

// detail adds a line to the last step of a name.
func (w *walker) detail(step, line string) {
	for i := len(w.walk.Steps) - 1; i >= 0; i-- {
		if w.walk.Steps[i].Name == step {
			w.walk.Steps[i].Details = append(w.walk.Steps[i].Details, line)
			return
		}
	}
}

// changeHeaders does what weight, route, host and table say about headers.
func (h *httpWalk) changeHeaders() {
	levels := []*headerChange{&h.route.headerChange, &h.host.headerChange, &h.table.headerChange}
	if h.target != nil {
		levels = append([]*headerChange{&h.target.headerChange}, levels...)
	}
	for _, level := range levels {
		for _, name := range level.Remove {
			h.call.Headers.Remove(strings.ToLower(name))
		}
		for i := range level.Add {
			add := &level.Add[i]
			name := strings.ToLower(add.Header.Key)
			if name == "host" {
				name = ":authority"
			}
			_, there, _ := h.call.header(name)
			switch {
			case add.Action == "ADD_IF_ABSENT" && there, add.Action == "OVERWRITE_IF_EXISTS" && !there:
			case strings.Contains(add.Header.Value, "%"):
				h.call.Unknown[name] = "the route"
			case name == ":authority":
				h.call.Authority = add.Header.Value
			case strings.HasPrefix(add.Action, "OVERWRITE"), add.Append != nil && !*add.Append:
				h.call.Headers.Set(name, add.Header.Value)
			default:
				h.call.Headers.Add(name, add.Header.Value)
			}
		}
	}
}
