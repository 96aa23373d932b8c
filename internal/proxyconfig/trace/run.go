package trace

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Run walks the request through the client's proxy and, where it is sent to
// the server of which there is a dump, through that one. A nil client starts
// at the server; a nil server ends with the client.
func Run(client, server *Dump, r *Request) *Report {
	if client == nil {
		return serverOnly(server, r)
	}
	report := Start(client, r)
	if server != nil {
		report.AddServer(server)
	}
	return report
}

// Start walks the request through the first proxy: a gateway's, when the dump
// is of one, or else the client's own.
func Start(d *Dump, r *Request) *Report {
	report := &Report{Request: r}
	if d.gateway() {
		report.Client = Gateway(d, r)
	} else {
		report.Client = Outbound(d, r)
	}
	report.client = d
	report.Outcome = report.Client.Outcome
	report.Verdict, report.Advice = report.verdict()
	return report
}

// gateway says whether the proxy is one of its own, without an application.
func (d *Dump) gateway() bool {
	kind, _, _ := strings.Cut(d.Node, "~")
	return kind == "router" || kind == "waypoint"
}

// Next are the endpoints that the request may go to, those of the biggest
// share first: a dump of one of them can be added with AddServer.
func (r *Report) Next() []Endpoint {
	o := r.Client.Outcome.final()
	targets := slices.Clone(o.Clusters)
	slices.SortStableFunc(targets, func(a, b Target) int { return int(b.Share*100) - int(a.Share*100) })
	var next []Endpoint
	for _, t := range targets {
		for _, e := range t.Endpoints {
			if e.Chosen {
				next = append(next, e)
			}
		}
	}
	return next
}

// final is the outcome, or what it is when the undecided step lets through.
func (o *Outcome) final() *Outcome {
	if o.IfAllowed != nil {
		return o.IfAllowed
	}
	return o
}

// AddServer walks on through the server's proxy, if the request goes there.
func (r *Report) AddServer(d *Dump) {
	next := r.Next()
	if len(next) == 0 {
		return // it does not leave the client's proxy
	}
	own := d.nodeIP()
	i := slices.IndexFunc(next, func(e Endpoint) bool {
		ip, err := netip.ParseAddr(e.Address)
		return !own.IsValid() || err == nil && ip == own
	})
	if i < 0 {
		names := make([]string, 0, len(next))
		for _, e := range next {
			names = append(names, e.hostPort())
		}
		r.elsewhere = fmt.Sprintf("it does not go to %s, which is %s, but to %s", d.Name, own, listSome(names, 5))
		r.addStep(Step{Name: "server", State: Failed, Text: r.elsewhere})
		r.Verdict, r.Advice = r.verdict()
		return
	}
	e := next[i]
	r.Server = Inbound(d, r.arriving(e), r.connectionTo(e, d))
	r.settle()
}

func (r *Report) addStep(s Step) {
	w := &walker{walk: r.Client}
	w.step(s)
}

// arriving is the request as the server's proxy gets it.
func (r *Report) arriving(e Endpoint) *Request {
	got := *r.Request
	got.Port, got.Source = e.Port, netip.AddrPort{}
	got.Address, _ = netip.ParseAddr(e.Address)
	call := r.Client.call
	if call == nil { // the client's proxy passed the bytes on
		return &got
	}
	got.Scheme, got.Method, got.Authority, got.Path, got.Headers = call.Scheme, call.Method, call.Authority, call.Path, call.Headers
	got.unknown = call.Unknown
	got.Protocol = orText(e.protocol, got.Protocol)
	return &got
}

// connectionTo is the connection that the client's proxy makes to an endpoint.
func (r *Report) connectionTo(e Endpoint, server *Dump) *Connection {
	sec := e.security
	c := &Connection{Port: e.Port, TLS: sec.tls, Plaintext: !sec.tls, SNI: sec.sni, ALPN: sec.alpn}
	c.Destination, _ = netip.ParseAddr(e.Address)
	if ip := r.client.nodeIP(); ip.IsValid() {
		c.Source = netip.AddrPortFrom(ip, 0)
	}
	switch {
	case sec.wrapped != "":
		c.TLS, c.Plaintext = false, false
	case sec.tls && sec.identity:
		c.Peer = orText(r.Request.Principal, r.client.Identity())
		c.PeerKnown = c.Peer != ""
	case !sec.tls && r.Client.call == nil && r.Request.TLS: // the application's own TLS passes through
		c.TLS, c.Plaintext, c.SNI, c.ALPN = true, false, r.Request.SNI, r.Request.ALPN
	default:
		c.PeerKnown = true // it has none
	}
	if call := r.Client.call; sec.tls && call != nil {
		if alpn, ok := call.FilterState[alpnState+orText(e.protocol, "HTTP/1.1")]; ok {
			c.ALPN = strings.Split(alpn, ",")
		}
	}
	if id := server.Identity(); sec.tls && id != "" {
		c.refused = refusedBy(sec.names, id)
	}
	return c
}

// alpnState is where a filter leaves the protocols that are offered upstream,
// for each version of HTTP that may be spoken there.
const alpnState = "envoy.network.application_protocols "

// refusedBy says why the client does not accept the server's identity.
func refusedBy(names []string, id string) string {
	if len(names) == 0 || slices.Contains(names, "spiffe://"+id) {
		return ""
	}
	return fmt.Sprintf("the server is spiffe://%s, and the client accepts only %s", id, strings.Join(names, " or "))
}

// serverOnly walks a request that reaches the server from a client of which
// nothing is known but what the request says.
func serverOnly(d *Dump, r *Request) *Report {
	conn := r.connection()
	if !conn.Destination.IsValid() {
		conn.Destination = d.nodeIP()
	}
	switch {
	case r.Principal != "":
		conn.TLS, conn.Plaintext, conn.Peer, conn.PeerKnown = true, false, r.Principal, true
		if len(conn.ALPN) == 0 {
			conn.ALPN = []string{"istio"}
		}
	case r.Plaintext:
		conn.PeerKnown = true
	case !r.TLS: // the caller may have a proxy that makes it mutual TLS, or none
		conn.Plaintext = false
	}
	report := &Report{Request: r, Server: Inbound(d, r, conn)}
	report.Outcome = report.Server.Outcome
	report.Verdict, report.Advice = report.verdict()
	return report
}

// settle makes the report's outcome of both walks'.
func (r *Report) settle() {
	client, server := &r.Client.Outcome, &r.Server.Outcome
	switch {
	case client.Kind == Undecidable:
		r.Outcome = *client
	case server.Kind == Forwarded:
		r.Outcome = *client
	case r.Server.refuses():
		r.Outcome = *server
		r.Outcome.Flags, r.Outcome.Detail = "UF,URX", ""
		if r.Client.call != nil {
			r.Outcome.Status = 503
		}
	case server.Kind == Closed && r.Client.call != nil:
		r.Outcome = *server
		r.Outcome.Status, r.Outcome.Flags, r.Outcome.Detail = 503, "UC", ""
	default:
		r.Outcome = *server
	}
	r.Verdict, r.Advice = r.verdict()
}

// refuses says whether the server never takes the connection, so that the
// client's proxy cannot connect (flag UF).
func (w *Walk) refuses() bool {
	if w.Outcome.Kind != Closed && w.Outcome.Kind != NoListener {
		return false
	}
	last := w.Steps[len(w.Steps)-1].Name
	return last == "listener" || last == "filter chain" || last == "TLS"
}

// Reached says whether the request reaches its destination for sure.
func (r *Report) Reached() bool {
	for _, w := range []*Walk{r.Client, r.Server} {
		if w != nil && !w.Outcome.reaches() {
			return false
		}
	}
	return r.elsewhere == ""
}

// Decided says whether the configuration decides if the request reaches its
// destination: also when it gets there in no case, whatever an undecided step does.
func (r *Report) Decided() bool {
	for _, w := range []*Walk{r.Client, r.Server} {
		if w != nil && w.Outcome.Kind != Undecidable && !w.Outcome.reaches() {
			return true
		}
		if w != nil && w.Outcome.IfAllowed != nil && !w.Outcome.IfAllowed.reaches() {
			return true
		}
	}
	return r.Outcome.Kind != Undecidable
}

func (o *Outcome) reaches() bool {
	switch o.Kind {
	case DirectResponse, Redirected:
		return o.Status < 400
	case Forwarded:
		return !slices.ContainsFunc(o.Clusters, func(t Target) bool { return t.Kind != Forwarded })
	}
	return false
}

// NoServer says why the walk ends before the server's proxy.
func (r *Report) NoServer(why string) {
	r.addStep(Step{Name: "server", State: Note, Text: "the server's side is not looked at: " + why})
}
