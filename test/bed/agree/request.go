package agree

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
	"github.com/meshctl/meshctl/test/bed/netpod"
)

// Request is one request and what became of it.
type Request struct {
	// Set and Through say which Envoy gets it, Side what this Envoy is to it: client, server or gateway.
	Set, Through, Side string
	// Speak is http, h2, grpc or tcp; TLS none, tls or mesh; Identity NAMESPACE/ACCOUNT of a client of the mesh.
	Speak, TLS, Identity string
	Call                 netpod.Call
	// Trace is the question as trace is asked it: the same facts.
	Trace trace.Request
	Token *Token

	// Answer is what the client got, Log what Envoy wrote down.
	Answer Answer
	Log    []Line
}

// Key is how its access log line names it: each request has a connection, and each connection a source port, of its own.
func (r *Request) Key() string { return r.Call.From.String() }

// String is the request in one line, enough to send it again by hand.
func (r *Request) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s (%s) %s %s -> %s", r.Set, r.Through, r.Side, r.Speak, r.Call.From, r.Call.To)
	if r.TLS != "none" {
		fmt.Fprintf(&b, " %s sni=%q alpn=%q", r.TLS, r.Trace.SNI, r.Trace.ALPN)
	}
	if r.TLS == "mesh" {
		fmt.Fprintf(&b, " as %s", r.Identity)
	}
	if !r.Trace.TCP() {
		fmt.Fprintf(&b, ": %s http://%s%s", r.Trace.Method, r.Trace.Authority, r.Trace.Path)
	}
	for _, h := range r.Trace.Headers {
		fmt.Fprintf(&b, " -H '%s: %s'", h.Name, h.Value)
	}
	return b.String()
}

// connection is the question's connection for a server.
func (r *Request) connection() *trace.Connection {
	c := &trace.Connection{Destination: r.Call.To.Addr(), Port: int(r.Call.To.Port()), Source: r.Call.From, TLS: r.TLS != "none",
		Plaintext: r.TLS == "none", SNI: r.Trace.SNI, ALPN: r.Trace.ALPN, PeerKnown: true}
	if r.TLS == "mesh" {
		c.Peer = r.Trace.Principal
	}
	return c
}

// Ask puts the question to trace.
func (r *Request) Ask(d *trace.Dump) *trace.Walk {
	question := r.Trace // trace may note things in it
	question.Headers = append(trace.Headers{}, r.Trace.Headers...)
	switch r.Side {
	case "server":
		return trace.Inbound(d, &question, r.connection())
	case "gateway":
		return trace.Gateway(d, &question)
	}
	return trace.Outbound(d, &question)
}

// principal is the identity of NAMESPACE/ACCOUNT as trace has it.
func principal(identity string) string {
	namespace, account, _ := strings.Cut(identity, "/")
	return "cluster.local/ns/" + namespace + "/sa/" + account
}

// via is the port that iptables would send the connection to.
func via(side string) uint16 {
	switch side {
	case "client":
		return 15001
	case "server":
		return 15006
	}
	return 0
}

func addrPort(a netip.Addr, port int) netip.AddrPort { return netip.AddrPortFrom(a, uint16(port)) }
