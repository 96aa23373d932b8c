package trace

import (
	"net/netip"
	"strings"
	"testing"
)

func TestPickChain(t *testing.T) {
	t.Parallel()
	const inspect = `"listener_filters":[{"typed_config":{"@type":"x/envoy.TlsInspector"}},{"typed_config":{"@type":"x/envoy.HttpInspector"}}]`
	chains := func(list string) string { return `{` + inspect + `,"filter_chains":[` + list + `]}` }
	tls := Connection{Port: 443, TLS: true, SNI: "a.b.com", ALPN: []string{"h2", "http/1.1"}, Destination: netip.MustParseAddr("10.1.2.3"), Source: netip.MustParseAddrPort("10.9.9.9:4711")}
	plain := Connection{Port: 80, Plaintext: true, Destination: netip.MustParseAddr("10.1.2.3"), Source: netip.MustParseAddrPort("10.1.2.3:4711")}
	unknown := Connection{Port: 80}
	for _, tc := range []struct {
		name, listener string
		conn           Connection
		want           string // "" is none, "?..." what is not known
		rejected       string
	}{
		{"any", chains(`{"name":"a"}`), plain, "a", ""},
		{"port", chains(`{"name":"a","filter_chain_match":{"destination_port":81}},{"name":"b","filter_chain_match":{"destination_port":80}}`), plain, "b", "it is for port 81, not 80"},
		{"a port beats an address", chains(`{"name":"a","filter_chain_match":{"prefix_ranges":[{"address_prefix":"10.1.2.3","prefix_len":32}]}},{"name":"b","filter_chain_match":{"destination_port":80}}`), plain, "b", "more exactly"},
		{"and there is no way back", chains(`{"name":"a"},{"name":"b","filter_chain_match":{"destination_port":80,"transport_protocol":"tls"}}`), plain, "", "it is for TLS, and this is plain text"},
		{"but the default", `{` + inspect + `,"filter_chains":[{"name":"b","filter_chain_match":{"destination_port":80,"transport_protocol":"tls"}}],"default_filter_chain":{"name":"d"}}`, plain, "d", ""},
		{"longest range", chains(`{"name":"a","filter_chain_match":{"prefix_ranges":[{"address_prefix":"10.0.0.0","prefix_len":8}]}},{"name":"b","filter_chain_match":{"prefix_ranges":[{"address_prefix":"10.1.0.0","prefix_len":16}]}},{"name":"c"}`), plain, "b", "more exactly"},
		{"other range", chains(`{"name":"a","filter_chain_match":{"prefix_ranges":[{"address_prefix":"10.2.0.0","prefix_len":16}]}}`), plain, "", "it is for destination 10.2.0.0/16, not 10.1.2.3"},
		{"exact name", chains(`{"name":"a","filter_chain_match":{"server_names":["*.b.com"]}},{"name":"b","filter_chain_match":{"server_names":["a.b.com"]}}`), tls, "b", "more exactly"},
		{"longest wildcard", chains(`{"name":"a","filter_chain_match":{"server_names":["*.com"]}},{"name":"b","filter_chain_match":{"server_names":["*.b.com"]}},{"name":"c"}`), tls, "b", ""},
		{"a name beats the rest", chains(`{"name":"a","filter_chain_match":{"server_names":["a.b.com"],"application_protocols":["x"]}},{"name":"b"}`), tls, "", "here is h2, http/1.1"},
		{"no name fits", chains(`{"name":"a","filter_chain_match":{"server_names":["c.com"]}}`), tls, "", "it is for the SNI c.com, not a.b.com"},
		{"no SNI without inspection", `{"filter_chains":[{"name":"a","filter_chain_match":{"server_names":["a.b.com"]}},{"name":"b","filter_chain_match":{"transport_protocol":"raw_buffer"}}]}`, tls, "b", "none is known"},
		{"the client's first protocol", chains(`{"name":"a","filter_chain_match":{"application_protocols":["http/1.1"]}},{"name":"b","filter_chain_match":{"application_protocols":["h2"]}}`), tls, "b", ""},
		{"plain HTTP is seen", chains(`{"name":"a","filter_chain_match":{"application_protocols":["http/1.1","h2c"]}},{"name":"b"}`), plain, "a", ""},
		{"same host", chains(`{"name":"a","filter_chain_match":{"source_type":"SAME_IP_OR_LOOPBACK"}},{"name":"b","filter_chain_match":{"source_type":"EXTERNAL"}}`), plain, "a", "from other hosts"},
		{"other host", chains(`{"name":"a","filter_chain_match":{"source_type":"SAME_IP_OR_LOOPBACK"}},{"name":"b","filter_chain_match":{"source_type":"EXTERNAL"}}`), tls, "b", "from the same host"},
		{"source", chains(`{"name":"a","filter_chain_match":{"source_prefix_ranges":[{"address_prefix":"10.9.0.0","prefix_len":16}],"source_ports":[4711]}},{"name":"b"}`), tls, "a", ""},
		{"source port", chains(`{"name":"a","filter_chain_match":{"source_ports":[1]}}`), tls, "", "source ports"},
		{"unknown source", chains(`{"name":"a","filter_chain_match":{"source_prefix_ranges":[{"address_prefix":"10.9.0.0","prefix_len":16}]}},{"name":"b"}`), unknown, "?the source address", ""},
		{"unknown transport", chains(`{"name":"a","filter_chain_match":{"transport_protocol":"tls"}},{"name":"b"}`), unknown, "?whether the connection is TLS", ""},
		{"unknown, and of no matter", chains(`{"name":"a","filter_chain_match":{"destination_port":80}},{"name":"b","filter_chain_match":{"transport_protocol":"tls"}}`), unknown, "a", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := decode[listenerBody](t, tc.listener)
			pick := b.pickChain(b.sniff(&tc.conn, "HTTP/1.1"))
			got := ""
			switch {
			case pick.unsure != "":
				got = "?" + pick.unsure
			case pick.chain != nil:
				got = pick.chain.Name
			}
			var why []string
			for _, c := range pick.rejected {
				why = append(why, c.Why)
			}
			if got != tc.want || !strings.Contains(strings.Join(why, "\n"), tc.rejected) {
				t.Errorf("got %q, want %q; rejected %q", got, tc.want, why)
			}
		})
	}
}

func TestListenerFilterLooksAway(t *testing.T) {
	t.Parallel()
	const off = `{"filter_disabled":{"or_match":{"rules":[{"destination_port_range":{"start":80,"end":81}},{"not_match":{"destination_port_range":{"start":1,"end":9000}}}]}}}`
	e := decode[extension](t, off)
	for port, want := range map[int]Answer{80: Yes, 81: No, 9000: Yes} {
		if got := e.disabledFor(&Connection{Port: port}); got.Answer != want {
			t.Errorf("%d: %v", port, got)
		}
	}
}

func TestChainByMatcher(t *testing.T) {
	t.Parallel()
	b := decode[listenerBody](t, `{"filter_chains":[{"name":"a"},{"name":"b"},{"name":"c"}],"default_filter_chain":{"name":"d"},"filter_chain_matcher":{
		"matcher_tree":{"input":{"name":"ip","typed_config":{"@type":"x/y.DestinationIPInput"}},
		"custom_match":{"name":"ip","typed_config":{"@type":"type.googleapis.com/xds.type.matcher.v3.IPMatcher","range_matchers":[
			{"ranges":[{"address_prefix":"10.0.0.0","prefix_len":8}],"on_match":{"action":{"name":"a","typed_config":{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"a"}}}},
			{"ranges":[{"address_prefix":"10.1.0.0","prefix_len":16}],"on_match":{"matcher":{"matcher_tree":{"input":{"name":"port","typed_config":{"@type":"x/y.DestinationPortInput"}},
				"exact_match_map":{"map":{"80":{"action":{"name":"b","typed_config":{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"b"}}}}}}}}}]}}},
		"on_no_match":{"action":{"name":"c","typed_config":{"@type":"type.googleapis.com/google.protobuf.StringValue","value":"c"}}}}}`)
	for _, tc := range []struct {
		ip   string
		port int
		want string
	}{{"10.1.2.3", 80, "b"}, {"10.1.2.3", 81, "a"}, {"10.2.2.3", 80, "a"}, {"11.1.1.1", 80, "c"}} {
		f := &chainFacts{conn: &Connection{Destination: netip.MustParseAddr(tc.ip), Port: tc.port}}
		if got := b.pickByTree(f); got.chain == nil || got.chain.Name != tc.want {
			t.Errorf("%s:%d: %+v", tc.ip, tc.port, got)
		}
	}
	if got := b.pickByTree(&chainFacts{conn: &Connection{}}); got.unsure == "" {
		t.Errorf("without an address: %+v", got)
	}
}
