package trace

import (
	"fmt"
	"strings"
)

// walker walks one proxy: each part of it adds its step, and the last sets the
// outcome.
type walker struct {
	dump *Dump
	walk *Walk
	req  *Request
	conn *Connection
	// opaque are the steps passed that could have ended the request.
	opaque []string
	// flags are those that steps passed leave in the access log.
	flags []string
	ended bool
}

func newWalker(d *Dump, side string, r *Request, conn *Connection) *walker {
	return &walker{
		dump: d, req: r, conn: conn,
		walk: &Walk{Proxy: d.Name, Side: side, Steps: []Step{}, Outcome: emptyOutcome()},
	}
}

func emptyOutcome() Outcome { return Outcome{Clusters: []Target{}, Mirrors: []string{}} }

// step adds a step.
func (w *walker) step(s Step) {
	if s.Details == nil {
		s.Details = []string{}
	}
	if s.Rejected == nil {
		s.Rejected = []Candidate{}
	}
	w.walk.Steps = append(w.walk.Steps, s)
}

// end sets how the walk ends; change sets what more is known.
func (w *walker) end(kind Kind, why string, change func(*Outcome)) {
	o := &w.walk.Outcome
	o.Kind, o.Why = kind, why
	if change != nil {
		change(o)
	}
	w.ended = true
}

// stuck ends the walk because it cannot be decided which way it goes on.
func (w *walker) stuck(step, text, what string) {
	w.step(Step{Name: step, State: Undecided, Text: text})
	w.end(Undecidable, "cannot decide: "+what, nil)
}

// done is the walk; where something opaque was passed, what was found is what
// happens when that lets the request through.
func (w *walker) done() *Walk {
	o := w.walk.Outcome
	if !w.ended {
		w.end(Undecidable, "cannot decide: the configuration ends here", nil)
	} else if len(w.opaque) > 0 && o.Kind != Undecidable {
		w.walk.Outcome = emptyOutcome()
		w.walk.Outcome.Kind = Undecidable
		w.walk.Outcome.Why = "cannot decide: " + strings.Join(w.opaque, "; ")
		w.walk.Outcome.IfAllowed = &o
	}
	return w.walk
}

// listen finds what a connection to the listener meets: its chain and filters.
func (w *walker) listen(l *listener) {
	w.walk.Outcome.Listener = l.Name
	body, err := l.body()
	if err != nil {
		w.stuck("filter chain", err.Error(), err.Error())
		return
	}
	protocol := w.req.Protocol
	if protocol != "HTTP/2" && unreadablePath(w.req.Path) {
		protocol = "" // the inspector does not take it for HTTP
	}
	facts := body.sniff(w.conn, protocol)
	var pick chainPick
	if unread(body.Matcher) {
		pick = body.pickByTree(facts)
	} else {
		pick = body.pickChain(facts)
	}
	switch {
	case pick.unsure != "":
		w.step(Step{Name: "filter chain", State: Undecided, Text: "it depends on " + pick.unsure + ", which is not known"})
		w.end(Undecidable, "cannot decide: which filter chain of listener "+l.Name+" the connection gets depends on "+pick.unsure, nil)
	case pick.chain == nil:
		w.step(Step{Name: "filter chain", State: Failed, Text: fmt.Sprintf("no filter chain of listener %s fits %s", l.Name, facts), Rejected: pick.rejected})
		w.end(Closed, "no filter chain fits the connection, which is closed", func(o *Outcome) { o.Flags, o.Detail = "NR", "filter_chain_not_found" })
	default:
		w.chain(l, pick, facts)
	}
}

// String is what is known of the connection.
func (f *chainFacts) String() string {
	parts := []string{orText(transportName(f.transport), "unknown transport")}
	if f.conn.TLS && f.transport == "raw_buffer" {
		parts[0] = "TLS that the listener does not look into"
	}
	if f.conn.Port != 0 {
		parts = append(parts, fmt.Sprintf("to port %d", f.conn.Port))
	}
	if f.sni != "" {
		parts = append(parts, "SNI "+f.sni)
	}
	if len(f.alpn) > 0 {
		parts = append(parts, "ALPN "+strings.Join(f.alpn, ","))
	}
	return strings.Join(parts, ", ")
}

func (w *walker) chain(l *listener, pick chainPick, facts *chainFacts) {
	c := pick.chain
	w.walk.Outcome.Chain = c.Name
	text := fmt.Sprintf("%s takes %s", orText(c.Name, "the chain for "+orText(c.Match.String(), "any connection")), facts)
	w.step(Step{Name: "filter chain", State: OK, Text: text, Owner: c.Metadata.owner(), Rejected: pick.rejected})
	if !w.terminate(c) {
		return
	}
	for i := range c.Filters {
		f := &c.Filters[i]
		switch kind := shortType(f.typeURL()); {
		case strings.HasSuffix(kind, ".HttpConnectionManager"):
			w.http(f)
			return
		case strings.HasSuffix(kind, ".TcpProxy"):
			w.tcp(f)
			return
		}
		if w.network(f); w.ended {
			return
		}
	}
	w.step(Step{Name: "filter chain", State: Failed, Text: "the chain has no filter that would send the connection on"})
	w.end(Closed, fmt.Sprintf("filter chain %s of listener %s sends nothing on", c.Name, l.Name), nil)
}

// network runs a network filter.
func (w *walker) network(e *extension) {
	config, ok := w.config(e)
	judge := networkFilter(typeURL(config))
	switch {
	case !ok, judge == nil:
		w.pass("filter "+shortFilter(e.Name), fmt.Sprintf("what the network filter %s (%s) does", e.Name, orText(shortType(typeURL(config)), "not in the dump")))
		return
	}
	w.apply(e, judge(&filterInput{Name: e.Name, Type: lastPart(typeURL(config)), Config: config, Conn: w.conn, Dump: w.dump}))
}

// pass notes something opaque, why as a clause, and goes on as if it let the
// request through.
func (w *walker) pass(step, why string) {
	w.step(Step{Name: step, State: Undecided, Text: "cannot decide: " + why})
	w.opaque = append(w.opaque, why)
}

// config is a filter's configuration, from ECDS where it comes by that; ok is
// false when the dump does not have it.
func (w *walker) config(e *extension) ([]byte, bool) {
	if e.Discovery == nil {
		return e.Config, true
	}
	if found, ok := w.dump.filters[e.Name]; ok {
		return member(found, "typed_config"), true
	}
	return e.Discovery.Default, e.Discovery.Default != nil
}

// apply turns a filter's result into a step, and ends the walk when it answers.
func (w *walker) apply(e *extension, res filterResult) {
	step := Step{Name: "filter " + shortFilter(e.Name), State: OK, Text: res.Text, Owner: res.Owner, Details: res.Details, Rejected: res.Rejected}
	switch res.State {
	case answers:
		step.State = Failed
		w.step(step)
		kind := res.Kind
		if kind == "" {
			kind = Denied
		}
		w.end(kind, res.Text, func(o *Outcome) {
			o.Status, o.Flags, o.Detail, o.Owner, o.Location = res.Status, res.Flags, res.Detail, res.Owner, res.Location
		})
	case opaque:
		step.State = Undecided
		w.step(step)
		w.opaque = append(w.opaque, orText(res.Text, "filter "+shortFilter(e.Name)))
	default:
		if res.Flags != "" {
			w.flags = append(w.flags, res.Flags)
		}
		if res.Text != "" {
			w.step(step)
		}
	}
}

// lastPart is the message's name in a type URL: RBAC.
func lastPart(url string) string { return url[strings.LastIndexAny(url, "./")+1:] }

// shortFilter is a filter's name without the prefix that all of Envoy's have.
func shortFilter(name string) string {
	for _, prefix := range []string{"envoy.filters.http.", "envoy.filters.network."} {
		name = strings.TrimPrefix(name, prefix)
	}
	return name
}
