package envoyfilter

import "strings"

const (
	connectionManager = "envoy.filters.network.http_connection_manager"
	tcpProxy          = "envoy.filters.network.tcp_proxy"
	router            = "envoy.filters.http.router"
)

// builtin are the names of the filters that istiod of this release or an
// earlier one puts into proxies, whether always or for some configuration.
func builtin() []string {
	return []string{
		connectionManager, tcpProxy, router,
		"envoy.filters.http.cors", "envoy.filters.http.fault", "envoy.filters.http.grpc_stats", "envoy.filters.http.grpc_web",
		"envoy.filters.http.jwt_authn", "envoy.filters.http.rbac", "envoy.filters.http.ext_authz", "envoy.filters.http.ext_proc",
		"envoy.filters.http.stateful_session", "envoy.filters.http.dynamic_forward_proxy", "envoy.filters.http.wasm",
		"istio.alpn", "istio.metadata_exchange", "istio.stats", "istio.stackdriver", "istio_authn", "istio.waypoint.xfcc_client_identity",
		"request_source", "connect_authority", "waypoint_downstream_peer_metadata", "waypoint_upstream_peer_metadata", "upstream_hbone_peer_metadata",
		"envoy.filters.network.rbac", "envoy.filters.network.ext_authz", "envoy.filters.network.mongo_proxy", "envoy.filters.network.redis_proxy",
		"envoy.filters.network.mysql_proxy", "envoy.filters.network.sni_cluster", "envoy.filters.network.metadata_exchange",
		"envoy.extensions.filters.network.sni_dynamic_forward_proxy", "set_dst_address", "propagate_endpoint_metadata", "forward_downstream_sni", "sni_verifier",
		"envoy.filters.listener.original_dst", "envoy.filters.listener.original_src", "envoy.filters.listener.tls_inspector",
		"envoy.filters.listener.http_inspector", "envoy.filters.listener.proxy_protocol", "envoy.filters.listener.set_filter_state",
	}
}

// always are those that nobody else would insert.
func always(name string) bool {
	switch name {
	case connectionManager, tcpProxy, router, "envoy.filters.http.grpc_stats", "envoy.filters.listener.original_dst", "envoy.filters.listener.tls_inspector", "envoy.filters.listener.http_inspector":
		return true
	}
	return false
}

// renamed is what Envoy 1.14 renamed a filter to; empty for other names. The
// old ones are in Envoy's list of deprecated names at
// https://www.envoyproxy.io/docs/envoy/v1.14.0/intro/deprecated.
func renamed(name string) string {
	rest, ok := strings.CutPrefix(name, "envoy.")
	if !ok {
		return ""
	}
	if listener, ok := strings.CutPrefix(rest, "listener."); ok {
		switch listener {
		case "http_inspector", "original_dst", "original_src", "proxy_protocol", "tls_inspector":
			return "envoy.filters.listener." + listener
		}
		return ""
	}
	switch rest {
	case "http_connection_manager", "tcp_proxy", "client_ssl_auth", "mongo_proxy", "ratelimit", "redis_proxy", "echo":
		return "envoy.filters.network." + rest
	case "buffer", "cors", "csrf", "fault", "grpc_http1_bridge", "grpc_json_transcoder", "grpc_web", "gzip", "health_check", "ip_tagging", "lua", "router", "squash", "ext_authz":
		return "envoy.filters.http." + rest
	case "http_dynamo_filter":
		return "envoy.filters.http.dynamo"
	case "rate_limit":
		return "envoy.filters.http.ratelimit"
	}
	return ""
}
