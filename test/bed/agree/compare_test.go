package agree

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
	"github.com/meshctl/meshctl/test/bed/netpod"
)

// forwarded is a request that went on, and what trace says of it.
func forwarded() (*Request, trace.Outcome) {
	r := &Request{Speak: "http", TLS: "none", Trace: trace.Request{Method: "GET", Path: "/a"},
		Answer: Answer{Code: 200, Seen: &netpod.Seen{Path: "/a", Host: "web"}},
		Log:    []Line{{Route: "one", Cluster: "v1", Code: 200, Details: "via_upstream", Upstream: "10.0.0.1:80"}}}
	return r, trace.Outcome{Kind: trace.Forwarded, Table: "80", Route: "one", Path: "/a", Authority: "web",
		Clusters: []trace.Target{{Cluster: "v1", Share: 100, Kind: trace.Forwarded, Endpoints: []trace.Endpoint{{Address: "10.0.0.1", Port: 80, Chosen: true}}}}}
}

// denied is one that a policy ended.
func denied() (*Request, trace.Outcome) {
	r := &Request{Speak: "http", TLS: "none", Trace: trace.Request{Method: "GET", Path: "/a"}, Answer: Answer{Code: 403},
		Log: []Line{{Route: "one", Code: 403, Details: "rbac_access_denied_matched_policy[none]"}}}
	return r, trace.Outcome{Kind: trace.Denied, Table: "80", Route: "one", Status: 403, Detail: "rbac_access_denied_matched_policy[none]"}
}

func TestCompareNotices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		of     func() (*Request, trace.Outcome)
		change func(*Request, *trace.Outcome)
		want   string
	}{
		"nothing":                {forwarded, func(*Request, *trace.Outcome) {}, ""},
		"another route":          {forwarded, func(r *Request, _ *trace.Outcome) { r.Log[0].Route = "two" }, "route"},
		"another cluster":        {forwarded, func(r *Request, _ *trace.Outcome) { r.Log[0].Cluster = "v2" }, "cluster"},
		"a cluster of no weight": {forwarded, func(_ *Request, o *trace.Outcome) { o.Clusters[0].Share = 0 }, "no share"},
		"another endpoint":       {forwarded, func(r *Request, _ *trace.Outcome) { r.Log[0].Upstream = "10.0.0.2:80" }, "endpoint"},
		"an endpoint not chosen": {forwarded, func(r *Request, o *trace.Outcome) {
			o.Clusters[0].Endpoints = append(o.Clusters[0].Endpoints, trace.Endpoint{Address: "10.0.0.2", Port: 80})
			r.Log[0].Upstream = "10.0.0.2:80"
		}, "endpoint"},
		"a flag":                  {forwarded, func(r *Request, _ *trace.Outcome) { r.Log[0].Flags = "UF" }, "response flags"},
		"Envoy's own answer":      {forwarded, func(r *Request, _ *trace.Outcome) { r.Log[0].Details = "direct_response" }, "details"},
		"another path upstream":   {forwarded, func(r *Request, _ *trace.Outcome) { r.Answer.Seen.Path = "/b" }, "path"},
		"another host upstream":   {forwarded, func(r *Request, _ *trace.Outcome) { r.Answer.Seen.Host = "b" }, "authority"},
		"no log line":             {forwarded, func(r *Request, _ *trace.Outcome) { r.Log = nil }, "0 access log lines"},
		"two log lines":           {forwarded, func(r *Request, _ *trace.Outcome) { r.Log = append(r.Log, r.Log[0]) }, "2 access log lines"},
		"TLS refused":             {forwarded, func(r *Request, _ *trace.Outcome) { r.Answer.Err = "remote error: tls: bad certificate" }, "handshake"},
		"denied alike":            {denied, func(*Request, *trace.Outcome) {}, ""},
		"another status":          {denied, func(r *Request, _ *trace.Outcome) { r.Log[0].Code = 401 }, "status"},
		"another policy":          {denied, func(r *Request, _ *trace.Outcome) { r.Log[0].Details = "rbac_access_denied_matched_policy[x]" }, "details"},
		"another route of denied": {denied, func(r *Request, _ *trace.Outcome) { r.Log[0].Route = "" }, "route"},
		"let through": {denied, func(r *Request, _ *trace.Outcome) {
			r.Log[0].Code, r.Log[0].Details = 200, "via_upstream"
		}, "Envoy sent it to"},
		"another place": {denied, func(r *Request, o *trace.Outcome) {
			o.Kind, o.Location, r.Answer.Location = trace.Redirected, "http://a/", "http://b/"
		}, "location"},
	} {
		r, o := c.of()
		c.change(r, &o)
		got := strings.Join(Compare(r, o), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestDrawIsTheSameForASeed(t *testing.T) {
	t.Parallel()
	sets, err := Load("testdata/sets")
	if err != nil {
		t.Fatal(err)
	}
	keys, err := newSigner()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sets {
		places := Places{}
		for _, p := range s.Pools {
			places["pod/"+p.Through] = netip.MustParseAddr("10.1.1.1")
			for _, to := range p.To {
				name, _, _ := strings.Cut(to, ":")
				if _, err := netip.ParseAddr(name); err != nil {
					places[name] = netip.MustParseAddr("10.1.1.2")
				}
			}
		}
		text := func(seed uint64) string {
			all, err := s.Draw(seed, 1, places, keys)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			for _, r := range all {
				if r.Token != nil {
					r.Trace.Headers.Set("authorization", "a token") // signed anew every time
				}
				b.WriteString(r.String() + "\n")
			}
			return b.String()
		}
		first := text(1)
		if again := text(1); first != again {
			t.Errorf("%s: one seed gives two lists of requests", s.Name)
		}
		if first == text(2) {
			t.Errorf("%s: two seeds give the same requests", s.Name)
		}
	}
}
