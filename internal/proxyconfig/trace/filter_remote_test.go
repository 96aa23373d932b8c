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
