package trace

import (
	"fmt"
	"regexp"
	"strings"
)

func compileRewrite(pattern string) (*regexp.Regexp, error) { return regexp.Compile(pattern) }

// forward sends the call on: to which cluster, changed how, with which bounds.
func (h *httpWalk) forward(a *routeAction) {
	targets, why := h.targets(a)
	if why != "" {
		h.stuck("action", why, why)
		return
	}
	details := h.describe(a)
	h.step(Step{Name: "action", State: OK, Text: "it goes to " + describeTargets(targets), Owner: h.route.owner(), Details: details})
	h.resolve(targets)
	h.settle(targets, func(t *Target) {
		if t.Status == 503 && t.Flags == "NC" {
			t.Status = notFoundCode(a.NotFound)
		}
	})
	h.rewrite(a)
}

// targets are the clusters that the action may choose, with their shares.
func (h *httpWalk) targets(a *routeAction) (targets []Target, why string) {
	switch {
	case a.Cluster != "":
		return []Target{{Cluster: a.Cluster, Share: 100}}, ""
	case a.ClusterHeader != "":
		name, _, unknown := h.call.header(strings.ToLower(a.ClusterHeader))
		if unknown != "" {
			return nil, fmt.Sprintf("header %s names the cluster, and may have been set by %s", a.ClusterHeader, unknown)
		}
		return []Target{{Cluster: name, Share: 100}}, ""
	case a.Weighted != nil:
		return h.weightedTargets(a.Weighted)
	}
	return nil, "the cluster is chosen by an extension: " + orText(a.Plugin, "cluster specifier plugin")
}

func (h *httpWalk) weightedTargets(ws *weighted) (targets []Target, why string) {
	if ws.Header != "" {
		return nil, "header " + ws.Header + " has the random number that chooses the cluster"
	}
	total := 0
	for _, c := range ws.Clusters {
		total += c.Weight
	}
	for i := range ws.Clusters {
		c := &ws.Clusters[i]
		name := c.Name
		if c.Header != "" {
			name, _ = h.call.Headers.Get(strings.ToLower(c.Header))
		}
		if c.Weight == 0 && total > 0 {
			continue
		}
		share := 100.0
		if total > 0 {
			share = float64(c.Weight) * 100 / float64(total)
		}
		targets = append(targets, Target{Cluster: name, Share: share})
		if share == 100 {
			h.target = c
		}
	}
	if len(targets) == 0 {
		return nil, "the route has no cluster"
	}
	return targets, ""
}

func describeTargets(targets []Target) string {
	if len(targets) == 1 {
		return targets[0].Cluster
	}
	parts := make([]string, 0, len(targets))
	for _, t := range targets {
		parts = append(parts, fmt.Sprintf("%s (%s)", t.Cluster, t.share()))
	}
	return strings.Join(parts, ", ")
}

func notFoundCode(name string) int {
	switch name {
	case "NOT_FOUND":
		return 404
	case "INTERNAL_SERVER_ERROR":
		return 500
	}
	return 503
}

// describe is what the action does besides, as lines, and in the outcome.
func (h *httpWalk) describe(a *routeAction) []string {
	o := &h.walk.Outcome
	var lines []string
	o.Timeout = "15s" // Envoy's own
	if a.Timeout != nil {
		o.Timeout = duration(*a.Timeout)
	}
	if v, ok := h.call.Headers.Get("x-envoy-upstream-rq-timeout-ms"); ok {
		lines = append(lines, "header x-envoy-upstream-rq-timeout-ms: "+v+" sets another timeout, if the request counts as internal")
	}
	line := "timeout " + o.Timeout
	if o.IdleTimeout = h.idle(a); o.IdleTimeout != "none" {
		line += ", idle timeout " + o.IdleTimeout
	}
	if a.MaxStream != nil && a.MaxStream.Max != "" && duration(a.MaxStream.Max) != "none" {
		line += ", longest stream " + duration(a.MaxStream.Max)
	}
	lines = append(lines, line)
	retry := a.Retry
	if retry == nil {
		retry = h.host.Retry
	}
	if o.Retries = retry.String(); o.Retries != "" {
		lines = append(lines, "retries "+o.Retries)
	}
	if unread(a.InternalRedirs) || string(a.InternalRedirs) == "{}" {
		lines = append(lines, "a redirect that the server answers with is followed by the proxy itself")
	}
	lines = append(lines, h.mirrors(a)...)
	return append(lines, hashing(a.Hash)...)
}

func (h *httpWalk) idle(a *routeAction) string {
	switch {
	case a.IdleTimeout != nil:
		return duration(*a.IdleTimeout)
	case h.manager.StreamIdle != nil:
		return duration(*h.manager.StreamIdle)
	}
	return "5m0s" // Envoy's own
}

// String is "3 on 5xx,reset, each within 1s"; "" for none.
func (r *retryPolicy) String() string {
	if r == nil || r.On == "" {
		return ""
	}
	count := 1
	if r.Count != nil {
		count = *r.Count
	}
	if count == 0 {
		return ""
	}
	text := fmt.Sprintf("%d on %s", count, r.On)
	if len(r.Codes) > 0 {
		text += fmt.Sprintf(" %v", r.Codes)
	}
	if r.PerTry != "" && duration(r.PerTry) != "none" {
		text += ", each within " + duration(r.PerTry)
	}
	return text
}

// mirrors are the clusters that get a copy: those of the route, else of its
// virtual host, else of the table.
func (h *httpWalk) mirrors(a *routeAction) []string {
	policies := a.Mirrors
	if len(policies) == 0 {
		policies = h.host.Mirrors
	}
	if len(policies) == 0 {
		policies = h.table.Mirrors
	}
	var lines []string
	for _, m := range policies {
		name := m.Cluster
		if m.Header != "" {
			name, _ = h.call.Headers.Get(strings.ToLower(m.Header))
		}
		share := ""
		if m.Fraction != nil {
			if m.Fraction.Default.percent() == 0 {
				continue
			}
			if m.Fraction.Default.percent() < 100 {
				share = fmt.Sprintf("(%g%% of requests)", m.Fraction.Default.percent())
			}
		}
		h.walk.Outcome.Mirrors = append(h.walk.Outcome.Mirrors, name)
		lines = append(lines, strings.TrimSpace("mirrored to "+name+" "+share))
	}
	return lines
}

func hashing(policies []hashPolicy) []string {
	var by []string
	for _, p := range policies {
		switch {
		case p.Header != nil:
			by = append(by, "header "+p.Header.Name)
		case p.Cookie != nil:
			by = append(by, "cookie "+p.Cookie.Name)
		case p.Query != nil:
			by = append(by, "query parameter "+p.Query.Name)
		case p.Connection != nil && p.Connection.SourceIP:
			by = append(by, "the client's address")
		}
	}
	if len(by) == 0 {
		return nil
	}
	return []string{"sticks to an endpoint by " + strings.Join(by, ", ")}
}
