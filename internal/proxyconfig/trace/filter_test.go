package trace

import (
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// filterCase is a request at a chain of filters, and what becomes of it.
type filterCase struct {
	name string
	// filters are a JSON array of HTTP filters, or the name of a file in testdata/filters.
	filters string
	request string // METHOD PATH
	headers []string
	// route are the filters' settings for the route, by the filters' name.
	route map[string]string
	conn  Connection
	// claims are those of a valid token.
	claims map[string][]string
	want   string // passes, opaque, or what ended it: 403 DETAIL
	text   string // a piece of the text of what ended it, or of all texts
}

// meshConn is a connection with mutual TLS from a workload.
func meshConn(peer string) Connection {
	return Connection{
		Destination: netip.MustParseAddr("10.0.0.7"), Port: 8080, Source: netip.MustParseAddrPort("10.0.0.9:4711"),
		TLS: true, Terminated: true, Peer: peer, PeerKnown: peer != "", SNI: "outbound_.80_._.backend.shop.svc.cluster.local",
	}
}

// plainConn is one without TLS.
func plainConn() Connection {
	return Connection{Destination: netip.MustParseAddr("10.0.0.7"), Port: 8080, Source: netip.MustParseAddrPort("10.0.0.9:4711"), Plaintext: true}
}

func (c *filterCase) load(t *testing.T) []extension {
	t.Helper()
	text := []byte(c.filters)
	if !strings.HasPrefix(c.filters, "[") {
		var err error
		if text, err = os.ReadFile("testdata/filters/" + c.filters); err != nil {
			t.Fatal(err)
		}
	}
	var filters []extension
	if err := json.Unmarshal(text, &filters); err != nil {
		t.Fatal(err)
	}
	return filters
}

func (c *filterCase) call(t *testing.T, conn *Connection) *Call {
	t.Helper()
	method, path, _ := strings.Cut(c.request, " ")
	call := &Call{
		Request: &Request{Claims: c.claims}, Conn: conn, Method: method, Path: path, Authority: "backend.shop", Scheme: "http",
		Remote: conn.Source.Addr(), Unknown: map[string]string{}, Metadata: map[string]any{}, FilterState: map[string]string{},
		Route: &ChosenRoute{Owner: Resource{Kind: "VirtualService", Name: "backend", Namespace: "shop"}},
	}
	for _, h := range c.headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "host" {
			call.Authority = value
			continue
		}
		call.Headers.Add(name, value)
	}
	return call
}

// run gives the request to the filters one after another, up to the first that
// does not let it pass.
func (c *filterCase) run(t *testing.T) (outcome string, result filterResult, texts string) {
	t.Helper()
	conn := c.conn
	if conn.Port == 0 {
		conn = meshConn("cluster.local/ns/shop/sa/frontend")
	}
	var call *Call
	judge := networkFilter
	if c.request != "" {
		call, judge = c.call(t, &conn), httpFilter
	}
	var all []string
	for _, f := range c.load(t) {
		in := &filterInput{Name: f.Name, Type: lastPart(f.typeURL()), Config: f.Config, Call: call, Conn: &conn}
		if override, ok := c.route[f.Name]; ok {
			in.Overrides = []json.RawMessage{json.RawMessage(override)}
		}
		one := judge(f.typeURL())
		if one == nil {
			return "unknown", filterResult{Text: f.Name}, ""
		}
		r := one(in)
		all = append(append(all, r.Text), r.Details...)
		switch r.State {
		case answers:
			return strings.TrimSpace(itoa(r.Status) + " " + r.Detail), r, strings.Join(all, "\n")
		case opaque:
			return "opaque", r, strings.Join(all, "\n")
		}
	}
	return "passes", filterResult{}, strings.Join(all, "\n")
}

func (c *filterCase) check(t *testing.T) {
	t.Helper()
	outcome, result, texts := c.run(t)
	if outcome != c.want {
		t.Errorf("got %q, want %q; %s\n%s\n%+v", outcome, c.want, result.Text, texts, result.Rejected)
	}
	if where := texts; !strings.Contains(where, c.text) {
		t.Errorf("the text is\n%s\nwant %q in it", where, c.text)
	}
}

func runFilterCases(t *testing.T, cases []filterCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.check(t)
		})
	}
}
