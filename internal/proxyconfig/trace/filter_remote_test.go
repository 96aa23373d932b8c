package trace

import (
	"encoding/json"
	"net/netip"
	"testing"
)

func TestRemote(t *testing.T) {
	t.Parallel()
	conn := plainConn() // from 10.0.0.9
	for _, test := range []struct {
		name    string
		manager hcm
		header  string
		want    string
	}{
		{"a sidecar without the header", hcm{}, "", "10.0.0.9"},
		{"a sidecar takes the last address", hcm{}, "1.1.1.1, 2.2.2.2", "2.2.2.2"},
		{"a gateway takes the peer", hcm{UseRemote: true}, "1.1.1.1, 2.2.2.2", "10.0.0.9"},
		{"a gateway behind a proxy", hcm{UseRemote: true, Hops: 1}, "1.1.1.1, 2.2.2.2", "2.2.2.2"},
		{"a gateway behind two", hcm{UseRemote: true, Hops: 2}, "1.1.1.1, 2.2.2.2", "1.1.1.1"},
		{"too few addresses", hcm{UseRemote: true, Hops: 3}, "1.1.1.1, 2.2.2.2", "10.0.0.9"},
		{"a sidecar behind one more", hcm{Hops: 1}, "1.1.1.1, 2.2.2.2", "1.1.1.1"},
		{"no address", hcm{}, "unknown", "10.0.0.9"},
		{"an extension says", hcm{DetectIP: json.RawMessage(`[{"name":"x"}]`)}, "", "invalid IP"},
	} {
		r := &Request{}
		if test.header != "" {
			r.Headers.Add("x-forwarded-for", test.header)
		}
		if got := test.manager.remote(r, &conn); got.String() != test.want && (got.IsValid() || test.want != (netip.Addr{}).String()) {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

func TestForwardedFor(t *testing.T) {
	t.Parallel()
	conn, unknown := plainConn(), plainConn()
	unknown.Source = netip.AddrPort{}
	for _, test := range []struct {
		name    string
		manager hcm
		conn    *Connection
		header  string
		want    string
	}{
		{"a sidecar leaves it alone", hcm{}, &conn, "1.1.1.1", "1.1.1.1"},
		{"a gateway adds the peer", hcm{UseRemote: true}, &conn, "1.1.1.1", "1.1.1.1,10.0.0.9"},
		{"a gateway makes it", hcm{UseRemote: true}, &conn, "", "10.0.0.9"},
		{"told not to", hcm{UseRemote: true, SkipXFF: true}, &conn, "1.1.1.1", "1.1.1.1"},
		{"the peer is not known", hcm{UseRemote: true}, &unknown, "", "unknown"},
	} {
		c := &Call{Conn: test.conn, Unknown: map[string]string{}}
		if test.header != "" {
			c.Headers.Add("x-forwarded-for", test.header)
		}
		test.manager.forwardedFor(c)
		got, _, why := c.header("x-forwarded-for")
		if why != "" {
			got = "unknown"
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
