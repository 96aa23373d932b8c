package trace

import (
	"encoding/json"
	"strings"
	"testing"
)

// one is a chain of one HTTP filter named f.
func one(kind, config string) string {
	if config != "" {
		config = "," + config
	}
	return `[{"name":"f","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.` + kind + `"` + config + `}}]`
}

func onRoute(config string) map[string]string { return map[string]string{"f": config} }

func TestFault(t *testing.T) {
	t.Parallel()
	abort := func(share, more string) string {
		return one("fault.v3.HTTPFault", `"abort":{"http_status":555,"percentage":{"numerator":`+share+`}}`+more)
	}
	runFilterCases(t, []filterCase{
		{name: "none", filters: one("fault.v3.HTTPFault", ""), request: "GET /", want: "passes"},
		{name: "abort", filters: abort("100", ""), request: "GET /", want: "555 fault_filter_abort", text: "answered with 555 by a fault"},
		{name: "never", filters: abort("0", ""), request: "GET /", want: "passes"},
		{name: "a share", filters: abort("30", ""), request: "GET /", want: "opaque", text: "30 % of the requests are answered with 555"},
		{name: "of the route", filters: one("fault.v3.HTTPFault", ""), route: onRoute(`{"abort":{"http_status":418,"percentage":{"numerator":1000000,"denominator":"MILLION"}}}`), request: "GET /", want: "418 fault_filter_abort"},
		{name: "a share of a share", filters: one("fault.v3.HTTPFault", `"abort":{"http_status":500,"percentage":{"numerator":500,"denominator":"TEN_THOUSAND"}}`), request: "GET /", want: "opaque", text: "5 % of the requests"},
		{name: "for other headers", filters: abort("100", `,"headers":[{"name":"x-a","string_match":{"exact":"1"}}]`), request: "GET /", want: "passes", text: "no fault: header x-a is missing"},
		{name: "for these headers", filters: abort("100", `,"headers":[{"name":"x-a","string_match":{"exact":"1"}}]`), request: "GET /", headers: []string{"x-a: 1"}, want: "555 fault_filter_abort"},
		{name: "for other callers", filters: abort("100", `,"downstream_nodes":["a"]`), request: "GET /", want: "passes"},
		{name: "delay", filters: one("fault.v3.HTTPFault", `"delay":{"fixed_delay":"5s","percentage":{"numerator":100}}`), request: "GET /", want: "passes", text: "held back for 5s"},
		{name: "a share is delayed", filters: one("fault.v3.HTTPFault", `"delay":{"fixed_delay":"5s","percentage":{"numerator":10}}`), request: "GET /", want: "passes", text: "10 % of the requests are held back for 5s"},
		{name: "gRPC", filters: one("fault.v3.HTTPFault", `"abort":{"grpc_status":14,"percentage":{"numerator":100}}`), request: "POST /", want: "200 fault_filter_abort", text: "gRPC status 14"},
	})
}

func TestExtAuthz(t *testing.T) {
	t.Parallel()
	server := `"grpc_service":{"envoy_grpc":{"cluster_name":"authz"}}`
	runFilterCases(t, []filterCase{
		{name: "asks", filters: one("ext_authz.v3.ExtAuthz", server), request: "GET /", want: "opaque", text: "external authorization by authz decides"},
		{name: "off for the route", filters: one("ext_authz.v3.ExtAuthz", server), route: onRoute(`{"disabled":true}`), request: "GET /", want: "passes"},
		{name: "settings for the route", filters: one("ext_authz.v3.ExtAuthz", server), route: onRoute(`{"check_settings":{}}`), request: "GET /", want: "opaque"},
		{name: "off", filters: one("ext_authz.v3.ExtAuthz", server+`,"filter_enabled":{"default_value":{"numerator":0}}`), request: "GET /", want: "passes"},
		{name: "a share", filters: one("ext_authz.v3.ExtAuthz", server+`,"filter_enabled":{"default_value":{"numerator":7}}`), request: "GET /", want: "opaque", text: "7 %"},
		{name: "over HTTP", filters: one("ext_authz.v3.ExtAuthz", `"http_service":{"server_uri":{"uri":"http://a/","cluster":"c"}}`), request: "GET /", want: "opaque", text: "by c decides"},
		{name: "by metadata that is not there", filters: one("ext_authz.v3.ExtAuthz", server+`,"filter_enabled_metadata":{"filter":"a","path":[{"key":"b"}],"value":{"string_match":{"prefix":"c"}}}`), request: "GET /", want: "passes", text: "not asked"},
	})
}

// TestExtAuthzOutOfReach judges it where the dump says that nobody can be asked.
func TestExtAuthzOutOfReach(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		`{"grpc_service":{"envoy_grpc":{"cluster_name":"gone"}}}`:                                                     "403 UAEX ext_authz_error",
		`{"grpc_service":{"envoy_grpc":{"cluster_name":"empty"}}}`:                                                    "403 UAEX ext_authz_error",
		`{"http_service":{"server_uri":{"cluster":"gone"}},"status_on_error":{"code":"ServiceUnavailable"}}`:          "503 UAEX ext_authz_error",
		`{"grpc_service":{"envoy_grpc":{"cluster_name":"gone"}},"failure_mode_allow":true}`:                           "passes",
		`{"grpc_service":{"envoy_grpc":{"cluster_name":"gone"}},"filter_enabled":{"default_value":{"numerator":50}}}`: "opaque",
		`{"grpc_service":{"google_grpc":{"target_uri":"x"}}}`:                                                         "opaque",
	} {
		d := newDump("test")
		d.clusters["empty"] = json.RawMessage(`{"name":"empty","type":"STATIC"}`)
		conn := meshConn(frontend)
		r := judgeExtAuthz(&filterInput{Name: "f", Config: json.RawMessage(config), Call: (&filterCase{request: "GET /"}).call(t, &conn), Conn: &conn, Dump: d})
		got := map[filterState]string{passes: "passes", opaque: "opaque", answers: itoa(r.Status) + " " + r.Flags + " " + r.Detail}[r.State]
		if got != want {
			t.Errorf("%s: got %s (%s), want %s", config, got, r.Text, want)
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	filter := one("cors.v3.Cors", "")
	policy := onRoute(`{"allow_origin_string_match":[{"exact":"https://a.example.com"}],"allow_methods":"GET"}`)
	strict := onRoute(`{"allow_origin_string_match":[{"exact":"https://a.example.com"}],"forward_not_matching_preflights":false}`)
	off := onRoute(`{"allow_origin_string_match":[{"exact":"https://a.example.com"}],"filter_enabled":{"default_value":{"numerator":0}}}`)
	preflight := []string{"origin: https://a.example.com", "access-control-request-method: GET"}
	foreign := []string{"origin: https://b.example.com", "access-control-request-method: GET"}
	runFilterCases(t, []filterCase{
		{name: "preflight", filters: filter, route: policy, request: "OPTIONS /", headers: preflight, want: "200 cors_response"},
		{name: "no policy", filters: filter, request: "OPTIONS /", headers: preflight, want: "passes"},
		{name: "no preflight", filters: filter, route: policy, request: "GET /", headers: preflight, want: "passes"},
		{name: "OPTIONS without a method", filters: filter, route: policy, request: "OPTIONS /", headers: preflight[:1], want: "passes"},
		{name: "another origin goes to the server", filters: filter, route: policy, request: "OPTIONS /", headers: foreign, want: "passes", text: "does not allow"},
		{name: "another origin is answered", filters: filter, route: strict, request: "OPTIONS /", headers: foreign, want: "200 cors_response"},
		{name: "off", filters: filter, route: off, request: "OPTIONS /", headers: preflight, want: "passes"},
	})
}

func TestCSRF(t *testing.T) {
	t.Parallel()
	filter := one("csrf.v3.CsrfPolicy", `"filter_enabled":{"default_value":{"numerator":100}},"additional_origins":[{"exact":"friend.example.com"}]`)
	denied := "403 csrf_origin_mismatch"
	runFilterCases(t, []filterCase{
		{name: "reads", filters: filter, request: "GET /", want: "passes"},
		{name: "no origin", filters: filter, request: "POST /", want: denied},
		{name: "the same", filters: filter, request: "POST /", headers: []string{"origin: http://backend.shop"}, want: "passes"},
		{name: "a friend", filters: filter, request: "PUT /", headers: []string{"referer: https://friend.example.com/page"}, want: "passes"},
		{name: "another", filters: filter, request: "PUT /", headers: []string{"origin: https://evil.example.com"}, want: denied},
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	on := `"filter_enabled":{"default_value":{"numerator":100}},"filter_enforced":{"default_value":{"numerator":100}}`
	bucket := func(max string) string {
		return `"token_bucket":{"max_tokens":` + max + `,"tokens_per_fill":2,"fill_interval":"60s"}`
	}
	runFilterCases(t, []filterCase{
		{name: "nothing to ask", filters: one("ratelimit.v3.RateLimit", `"domain":"d"`), request: "GET /", want: "passes"},
		{name: "asks for its own", filters: one("ratelimit.v3.RateLimit", `"domain":"d","rate_limits":[{}]`), request: "GET /", want: "opaque", text: "domain d"},
		{name: "asks for the route's", filters: one("ratelimit.v3.RateLimit", `"domain":"d"`), route: onRoute(`{"rate_limits":[{}]}`), request: "GET /", want: "opaque"},
		{name: "local, off unless enabled", filters: one("local_ratelimit.v3.LocalRateLimit", bucket("1")), request: "GET /", want: "passes"},
		{name: "local", filters: one("local_ratelimit.v3.LocalRateLimit", bucket("5")+","+on), request: "GET /", want: "passes", text: "a local rate limit of 5, and 2 more every 60s, taken as not reached"},
		{name: "local, nothing at all", filters: one("local_ratelimit.v3.LocalRateLimit", bucket("0")+","+on), request: "GET /", want: "429 local_rate_limited"},
	})
}

func TestChanges(t *testing.T) {
	t.Parallel()
	const after = `,{"name":"rbac","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC","rules":{"action":"DENY","policies":{"p":{"principals":[{"any":true}],"permissions":[`
	with := func(first, permission string) string {
		return strings.TrimSuffix(first, "]") + after + permission + `]}}}}}]`
	}
	header := func(value string) string {
		return `{"header":{"name":"x-a","string_match":{"exact":"` + value + `"}}}`
	}
	const denied = "403 rbac_access_denied_matched_policy[p]"
	set := func(action, value string) string {
		return one("header_mutation.v3.HeaderMutation", `"mutations":{"request_mutations":[{"append":{"header":{"key":"X-A","value":"`+value+`"},"append_action":"`+action+`"}}]}`)
	}
	runFilterCases(t, []filterCase{
		{name: "set", filters: with(set("OVERWRITE_IF_EXISTS_OR_ADD", "1"), header("1")), request: "GET /", headers: []string{"x-a: 0"}, want: denied},
		{name: "add", filters: with(set("", "1"), header("1")), request: "GET /", headers: []string{"x-a: 0"}, want: denied},
		{name: "only if absent", filters: with(set("ADD_IF_ABSENT", "1"), header("1")), request: "GET /", headers: []string{"x-a: 0"}, want: "passes"},
		{name: "only if there", filters: with(set("OVERWRITE_IF_EXISTS", "1"), header("1")), request: "GET /", want: "passes"},
		{name: "with a command", filters: with(set("", "%START_TIME%"), header("1")), request: "GET /", want: "opaque", text: "filter f"},
		{name: "remove", filters: with(one("header_mutation.v3.HeaderMutation", `"mutations":{"request_mutations":[{"remove":"x-a"}]}`), header("0")), request: "GET /", headers: []string{"x-a: 0"}, want: "passes"},
		{name: "metadata", filters: with(one("set_metadata.v3.Config", `"metadata":[{"metadata_namespace":"n","value":{"k":"v"}}]`), `{"metadata":{"filter":"n","path":[{"key":"k"}],"value":{"string_match":{"exact":"v"}}}}`), request: "GET /", want: denied},
		{name: "metadata from headers", filters: with(one("header_to_metadata.v3.Config", `"request_rules":[{"header":"x","on_header_present":{"metadata_namespace":"n","key":"k"}}]`), `{"metadata":{"filter":"n","path":[{"key":"k"}],"value":{"string_match":{"exact":"v"}}}}`), request: "GET /", want: "opaque"},
		{name: "health check", filters: one("health_check.v3.HealthCheck", `"pass_through_mode":false,"headers":[{"name":":path","string_match":{"exact":"/healthz"}}]`), request: "GET /healthz", want: "200 health_check_ok"},
		{name: "no health check", filters: one("health_check.v3.HealthCheck", `"pass_through_mode":false,"headers":[{"name":":path","string_match":{"exact":"/healthz"}}]`), request: "GET /", want: "passes"},
	})
}

func TestOpaqueFilters(t *testing.T) {
	t.Parallel()
	const lua = "lua.v3.Lua"
	matcher := func(action string) string {
		return `[{"name":"f","typed_config":{"@type":"type.googleapis.com/envoy.extensions.common.matching.v3.ExtensionWithMatcher",
			"extension_config":{"name":"l","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua","inline_code":"x"}},
			"xds_matcher":{"matcher_tree":{"input":{"name":"p","typed_config":{"@type":"type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput","header_name":"x-a"}},
			"exact_match_map":{"map":{"1":{"action":{"name":"a","typed_config":` + action + `}}}}}}}}]`
	}
	skip := matcher(`{"@type":"type.googleapis.com/envoy.extensions.filters.common.matcher.action.v3.SkipFilter"}`)
	runFilterCases(t, []filterCase{
		{name: "no script", filters: one(lua, ""), request: "GET /", want: "passes"},
		{name: "a script", filters: one(lua, `"inline_code":"x"`), request: "GET /", want: "opaque", text: "a Lua script decides"},
		{name: "off for the route", filters: one(lua, `"inline_code":"x"`), route: onRoute(`{"disabled":true}`), request: "GET /", want: "passes"},
		{name: "a script of the route", filters: one(lua, ""), route: onRoute(`{"source_code":{"inline_string":"x"}}`), request: "GET /", want: "opaque"},
		{name: "Wasm", filters: one("wasm.v3.Wasm", `"config":{"vm_config":{"code":{"remote":{}}}}`), request: "GET /", want: "opaque", text: "a Wasm module"},
		{name: "Istio's old modules", filters: one("wasm.v3.Wasm", `"config":{"vm_config":{"code":{"local":{"inline_string":"envoy.wasm.stats"}}}}`), request: "GET /", want: "passes"},
		{name: "ext_proc", filters: one("ext_proc.v3.ExternalProcessor", ""), request: "GET /", want: "opaque", text: "an external processor"},
		{name: "ext_proc off for the route", filters: one("ext_proc.v3.ExternalProcessor", ""), route: onRoute(`{"disabled":true}`), request: "GET /", want: "passes"},
		{name: "OAuth", filters: one("oauth2.v3.OAuth2", `"config":{"pass_through_matcher":[{"name":"authorization","string_match":{"prefix":"Bearer "}}]}`), request: "GET /", want: "opaque"},
		{name: "OAuth lets pass", filters: one("oauth2.v3.OAuth2", `"config":{"pass_through_matcher":[{"name":"authorization","string_match":{"prefix":"Bearer "}}]}`), request: "GET /", headers: []string{"authorization: Bearer x"}, want: "passes"},
		{name: "transcoder and gRPC", filters: one("grpc_json_transcoder.v3.GrpcJsonTranscoder", ""), request: "POST /", headers: []string{"content-type: application/grpc"}, want: "passes"},
		{name: "transcoder", filters: one("grpc_json_transcoder.v3.GrpcJsonTranscoder", ""), request: "POST /", want: "opaque"},
		{name: "unknown", filters: one("of_tomorrow.v9.Filter", ""), request: "GET /", want: "unknown"},
		{name: "Istio's own", filters: `[{"name":"istio.stats","typed_config":{"@type":"type.googleapis.com/stats.PluginConfig"}},{"name":"istio.alpn","typed_config":{"@type":"type.googleapis.com/istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig"}}]`, request: "GET /", want: "passes"},
		{name: "a matcher skips it", filters: skip, request: "GET /", headers: []string{"x-a: 1"}, want: "passes"},
		{name: "a matcher does not skip it", filters: skip, request: "GET /", headers: []string{"x-a: 2"}, want: "opaque"},
		{name: "a configuration of another form", filters: one("fault.v3.HTTPFault", `"abort":7`), request: "GET /", want: "opaque", text: "cannot be read"},
	})
}

func TestNetworkFilters(t *testing.T) {
	t.Parallel()
	network := func(kind, config string) string {
		return strings.ReplaceAll(one(kind, config), "filters.http.", "filters.network.")
	}
	runFilterCases(t, []filterCase{
		{name: "SNI is the cluster", filters: network("sni_cluster.v3.SniCluster", ""), want: "passes", text: "outbound_.80_._.backend.shop"},
		{name: "reads along", filters: network("mongo_proxy.v3.MongoProxy", ""), want: "passes"},
		{name: "Redis", filters: network("redis_proxy.v3.RedisProxy", ""), want: "opaque", text: "the Redis proxy"},
		{name: "limit of connections", filters: network("connection_limit.v3.ConnectionLimit", `"max_connections":"10"`), want: "passes", text: "at most 10 connections"},
		{name: "rate limit", filters: network("local_ratelimit.v3.LocalRateLimit", `"token_bucket":{"max_tokens":3,"fill_interval":"1s"}`), want: "passes", text: "limit of 3, and 1 more every 1s"},
		{name: "asks", filters: network("ratelimit.v3.RateLimit", ""), want: "opaque"},
		{name: "HTTP conditions never hold", filters: network("rbac.v3.RBAC", `"rules":{"policies":{"p":{"permissions":[{"header":{"name":":method","string_match":{"exact":"GET"}}}],"principals":[{"any":true}]}}}`), want: "0 rbac_access_denied_matched_policy[none]"},
		{name: "paths neither", filters: network("rbac.v3.RBAC", `"rules":{"action":"DENY","policies":{"p":{"permissions":[{"url_path":{"path":{"prefix":"/"}}}],"principals":[{"any":true}]}}}`), want: "passes"},
		{name: "metadata exchange", filters: `[{"name":"m","typed_config":{"@type":"type.googleapis.com/envoy.tcp.metadataexchange.config.MetadataExchange"}}]`, want: "passes"},
	})
}
