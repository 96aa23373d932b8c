package trace

import (
	"encoding/json"
	"fmt"
	"slices"
)

// httpWalk is the way of one call through a connection manager.
type httpWalk struct {
	*walker
	manager *hcm
	call    *Call
	table   *routeTable
	host    *virtualHost
	route   *route
	target  *weightedCluster // the cluster weight, when it is sure
}

func (w *walker) http(e *extension) {
	config, _ := w.config(e)
	manager := &hcm{}
	if err := json.Unmarshal(config, manager); err != nil {
		w.stuck("HTTP", "the connection manager cannot be read: "+err.Error(), "the HTTP connection manager cannot be read")
		return
	}
	if w.notHTTP() {
		return
	}
	call, bad := manager.newCall(w.req, w.conn)
	call.runtime = w.dump.runtimeKeys()
	if unread(manager.Validation) {
		w.pass("HTTP", "what the listener's header validation refuses")
	}
	if call.Path != w.req.Path && bad == nil {
		w.step(Step{Name: "normalize", State: Note, Text: fmt.Sprintf("the path %s is taken as %s", w.req.Path, call.Path)})
	}
	if bad != nil {
		w.reply("HTTP", bad)
		return
	}
	h := &httpWalk{walker: w, manager: manager, call: call}
	w.walk.call = call
	h.run()
	h.finish()
}

// notHTTP ends the walk for what a connection manager cannot read.
func (w *walker) notHTTP() bool {
	what := ""
	switch {
	case w.req.TCP():
		what = "it is no HTTP"
	case w.conn.TLS && !w.conn.Terminated:
		what = "it is TLS, and this filter chain does not decrypt it"
	default:
		return false
	}
	w.step(Step{Name: "HTTP", State: Failed, Text: "the filter chain speaks HTTP and cannot read what comes: " + what})
	w.end(Closed, "the proxy cannot read the request as HTTP: "+what, func(o *Outcome) { o.Status, o.Flags, o.Detail = 400, "DPE", "http1.codec_error" })
	return true
}

// reply ends the walk with the proxy's own answer.
func (w *walker) reply(step string, r *reply) {
	kind := r.kind
	if kind == "" {
		kind = Denied
	}
	w.step(Step{Name: step, State: Failed, Text: r.why})
	w.end(kind, r.why, func(o *Outcome) { o.Status, o.Flags, o.Detail, o.Location = r.status, r.flags, r.detail, r.to })
}

// run finds the route, as Envoy does before the filters: their settings may
// depend on it. What they change may lead to another route.
func (h *httpWalk) run() {
	tableStep, ok := h.findTable()
	if !ok {
		return
	}
	steps := h.walk.Steps
	found := h.findRoute()
	routeSteps := slices.Clone(h.walk.Steps[len(steps):])
	h.walk.Steps = h.walk.Steps[:len(steps)]
	if h.ended { // it cannot be told which route: the filters' settings neither
		h.walk.Steps = append(append(h.walk.Steps, tableStep...), routeSteps...)
		return
	}
	again := h.runFilters()
	if h.ended {
		return
	}
	h.walk.Steps = append(h.walk.Steps, tableStep...)
	if again {
		found = h.findRoute()
		if h.ended {
			return
		}
	} else {
		h.walk.Steps = append(h.walk.Steps, routeSteps...)
	}
	if found != nil {
		h.answerUnrouted(found)
		return
	}
	h.act()
}

// findTable finds the route table and, where there is none, gives the step that says so.
func (h *httpWalk) findTable() ([]Step, bool) {
	var err error
	switch {
	case h.manager.RDS != nil:
		name := h.manager.RDS.Name
		h.walk.Outcome.Table = name
		if h.table, err = h.dump.table(name); h.table == nil && err == nil {
			h.table = &routeTable{Name: name}
			return []Step{{Name: "route table", State: Failed, Text: fmt.Sprintf("there is no route table %s in this proxy", name), Details: []string{}, Rejected: []Candidate{}}}, true
		}
	case unread(h.manager.Scoped):
		h.stuck("route table", "the route table is chosen by scoped routes", "scoped routes are not read")
		return nil, false
	default:
		h.table = &routeTable{}
		if h.manager.Routes != nil {
			err = json.Unmarshal(h.manager.Routes, h.table)
		}
	}
	if err != nil {
		h.stuck("route table", fmt.Sprintf("the route table cannot be read: %v", err), "a route table cannot be read")
		return nil, false
	}
	h.walk.Outcome.Table = h.table.Name
	return nil, true
}

// missed is why a call has no route.
type missed struct {
	why      string
	redirect string // of hosts that require TLS
}

// findRoute picks virtual host and route. It is nil when there is one; it ends
// the walk when that cannot be decided.
func (h *httpWalk) findRoute() *missed {
	h.host, h.route, h.call.Route = nil, nil, nil
	if m := h.findHost(); m != nil || h.ended {
		return m
	}
	if m := h.requireTLS(); m != nil || h.ended {
		return m
	}
	if unread(h.host.Matcher) {
		return h.routeByTree()
	}
	routes, err := h.host.routes()
	if err != nil {
		h.stuck("route", err.Error(), "the routes cannot be read")
		return nil
	}
	pick := h.table.pickRoute(h.host, routes, h.call)
	switch {
	case pick.unsure != "":
		return h.unsureRoute(pick)
	case pick.route == nil:
		why := fmt.Sprintf("none of the %d routes of virtual host %s matches %s %s", len(routes), h.host.Name, h.call.Method, h.call.Path)
		h.step(Step{Name: "route", State: Failed, Text: why, Rejected: pick.rejected})
		return &missed{why: why}
	}
	h.setRoute(pick.route)
	h.step(Step{Name: "route", State: OK, Text: "route " + pick.route.title(pick.index) + " matches", Owner: pick.route.owner(), Rejected: pick.rejected})
	return nil
}

func (h *httpWalk) findHost() *missed {
	authority := h.call.Authority
	if h.table.HostHeader != "" {
		authority, _ = h.call.Headers.Get(h.table.HostHeader)
	}
	if _, _, unknown := h.call.header(":authority"); unknown != "" && len(h.table.Hosts) != 1 {
		h.stuck("virtual host", "the host may have been changed by "+unknown, "the host may have been changed by "+unknown)
		return nil
	}
	pick := h.table.pickHost(authority)
	if pick.host == nil {
		if unread(h.table.VHDS) {
			h.stuck("virtual host", "virtual hosts come on demand (VHDS)", "the virtual host is fetched on demand")
			return nil
		}
		why := fmt.Sprintf("no virtual host of route table %s is for %s", h.table.Name, pick.asked)
		h.step(Step{Name: "virtual host", State: Failed, Text: why, Rejected: h.table.near(pick.asked)})
		return &missed{why: why}
	}
	h.host = pick.host
	h.walk.Outcome.VirtualHost = pick.host.Name
	text := fmt.Sprintf("%s of route table %s is for %s", pick.host.Name, h.table.Name, pick.domain)
	if pick.domain != pick.asked {
		text += ", and so for " + pick.asked
	}
	h.step(Step{Name: "virtual host", State: OK, Text: text, Owner: pick.host.Metadata.owner()})
	return nil
}

// requireTLS sends plain requests to https where the host asks for it.
func (h *httpWalk) requireTLS() *missed {
	if h.host.RequireTLS == "" || h.host.RequireTLS == "NONE" {
		return nil
	}
	proto, _ := h.call.Headers.Get("x-forwarded-proto")
	if _, unknown := h.call.Unknown["x-forwarded-proto"]; unknown || h.host.RequireTLS == "EXTERNAL_ONLY" && proto != "https" {
		h.stuck("virtual host", "whether TLS is required depends on where the request is from", "whether virtual host "+h.host.Name+" requires TLS of this request")
		return nil
	}
	if proto == "https" {
		return nil
	}
	to := "https://" + h.call.Authority + h.call.Path
	return &missed{why: fmt.Sprintf("virtual host %s requires TLS: the client is sent to %s", h.host.Name, to), redirect: to}
}

// unsureRoute ends the walk, unless all that it may be is the same anyway.
func (h *httpWalk) unsureRoute(p routePick) *missed {
	names := make([]string, 0, len(p.maybes))
	for _, r := range p.maybes {
		names = append(names, orText(r.Name, r.Match.text()))
	}
	h.step(Step{Name: "route", State: Undecided, Text: fmt.Sprintf("it is one of %s: %s", listSome(names, 5), p.unsure), Rejected: p.rejected})
	h.end(Undecidable, "cannot decide: "+p.unsure, nil)
	return nil
}

// setRoute makes r the call's route.
func (h *httpWalk) setRoute(r *route) {
	h.route = r
	h.call.Route = &ChosenRoute{
		Table: h.table.Name, VirtualHost: h.host.Name, Name: r.Name, Owner: r.owner(), Metadata: r.Metadata.Filter, Answers: r.Action == nil,
		perFilter: []map[string]json.RawMessage{h.table.PerFilter, h.host.PerFilter, r.PerFilter},
	}
	if r.Action != nil && r.Action.Weighted != nil && len(r.Action.Weighted.Clusters) == 1 {
		h.call.Route.perFilter = append(h.call.Route.perFilter, r.Action.Weighted.Clusters[0].PerFilter)
	}
	h.call.Route.RateLimits = r.rateLimits(h.host)
	h.walk.Outcome.Route = r.Name
}

// answerUnrouted is the router's answer where there is no route.
func (h *httpWalk) answerUnrouted(m *missed) {
	if m.redirect != "" {
		h.step(Step{Name: "route", State: OK, Text: m.why})
		h.end(Redirected, m.why, func(o *Outcome) { o.Status, o.Location = 301, m.redirect })
		return
	}
	h.end(NoRoute, m.why, func(o *Outcome) { o.Status, o.Flags, o.Detail = 404, "NR", "route_not_found" })
}

// runtimeKeys are those that the bootstrap sets.
func (d *Dump) runtimeKeys() map[string]bool {
	keys := map[string]bool{}
	for _, layer := range d.bootstrap.Runtime.Layers {
		for key := range layer.Static {
			keys[key] = true
		}
	}
	return keys
}
