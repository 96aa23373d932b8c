package trace

import (
	"strings"
	"testing"
)

func TestWhichEndpointsAreChosen(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		states string // PRIORITY:HEALTH, H healthy, U unhealthy, D degraded, E ejected; "!" locality without weight
		panic  float64
		want   string
	}{
		{"all healthy", "0:H 0:H", 0, "yy"},
		{"unhealthy left out", "0:H 0:U 0:E", 0, "ynn"},
		{"none, no panic", "0:U 0:U", 0, "nn"},
		{"none, panic", "0:U 0:U", 50, "yy"},
		{"panic below the half", "0:H 0:U 0:U", 50, "yyy"},
		{"no panic at the half", "0:H 0:U", 50, "yn"},
		{"next priority idle", "0:H 1:H", 0, "yn"},
		{"next priority takes over", "0:U 1:H", 0, "ny"},
		{"next priority helps", "0:H 0:U 1:H", 0, "yny"},
		{"one of four may fail", "0:H 0:H 0:H 0:U 1:H", 0, "yyynn"},
		{"degraded only when needed", "0:H 0:D", 0, "yy"},
		{"degraded instead of none", "0:U 0:D", 0, "ny"},
		{"no healthy, all priorities", "0:U 1:U", 0, "nn"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			lb := &balancer{panicBelow: tc.panic, factor: 140}
			p := &pool{}
			for _, s := range strings.Fields(tc.states) {
				health := map[byte]string{'H': "HEALTHY", 'U': "UNHEALTHY", 'D': "DEGRADED", 'E': "EJECTED"}[s[2]]
				e := Endpoint{Health: health, Priority: int(s[0] - '0')}
				lb.add(&e, &endpointGroup{})
				p.list = append(p.list, e)
			}
			lb.choose(p)
			got := ""
			for _, e := range p.list {
				got += map[bool]string{true: "y", false: "n"}[e.Chosen]
			}
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestTransportSocketByMetadata(t *testing.T) {
	t.Parallel()
	c := decode[cluster](t, `{"transport_socket_matches":[
		{"name":"tlsMode-istio","match":{"tlsMode":"istio"},"transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext","sni":"s","common_tls_context":{"alpn_protocols":["istio"],"tls_certificate_sds_secret_configs":[{"name":"default"}],"combined_validation_context":{"default_validation_context":{"match_subject_alt_names":[{"exact":"spiffe://td/ns/a/sa/b"}]}}}}}},
		{"name":"tlsMode-disabled","match":{},"transport_socket":{"name":"envoy.transport_sockets.raw_buffer"}}]}`)
	with := decode[endpoint](t, `{"metadata":{"filter_metadata":{"envoy.transport_socket_match":{"tlsMode":"istio"}}}}`)
	if got := c.security(with, nil); !got.tls || !got.identity || got.text != "mutual TLS, SNI s, the server must be spiffe://td/ns/a/sa/b" {
		t.Errorf("%+v", got)
	}
	if got := c.security(&endpoint{}, &endpointGroup{}); got.tls || got.text != "plain text" {
		t.Errorf("%+v", got)
	}
	plainTLS := decode[cluster](t, `{"transport_socket":{"name":"tls","typed_config":{"@type":"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext","sni":"s"}}}`)
	if got := plainTLS.security(nil, nil); got.text != "TLS, SNI s, the server's certificate is not checked" {
		t.Errorf("%+v", got)
	}
}

// In ambient meshes istiod writes endpoints behind an internal listener.
func TestTunnelledEndpoint(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"envoy_internal_address":{"server_listener_name":"connect_originate","endpoint_id":"10.1.1.1:8080"}}`: "10.1.1.1:8080",
		`{"envoy_internal_address":{"server_listener_name":"main_internal"}}`:                                   "",
		`{"socket_address":{"address":"10.1.1.1","port_value":80}}`:                                             "",
	} {
		got := ""
		if ap, ok := decode[address](t, text).tunnelled(); ok {
			got = ap.String()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
