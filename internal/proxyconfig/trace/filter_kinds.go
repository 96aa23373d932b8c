package trace

import "strings"

// httpFilter is the judge of HTTP filters of this @type; nil when none knows it.
func httpFilter(typeURL string) filter {
	kind := shortType(typeURL)
	short, isEnvoys := strings.CutPrefix(kind, "envoy.extensions.filters.http.")
	if !isEnvoys {
		return istioFilter(kind)
	}
	if judge := decidingFilter(short); judge != nil {
		return judge
	}
	switch short {
	case "adaptive_concurrency.v3.AdaptiveConcurrency":
		return notedFilter("adaptive concurrency, taken as not at its limit (else 503)")
	case "admission_control.v3.AdmissionControl":
		return notedFilter("admission control, taken as letting in all (else 503)")
	case "bandwidth_limit.v3.BandwidthLimit":
		return notedFilter("a bandwidth limit slows it down")
	case "buffer.v3.Buffer":
		return notedFilter("the body is held back until it is whole; a larger one than the buffer is refused (413)")
	case "file_system_buffer.v3.FileSystemBufferFilterConfig":
		return notedFilter("the body may be held back")
	case "body_size_limit.v3.BodySizeLimit":
		return notedFilter("a body over the limit is refused (413)")
	case "dynamic_forward_proxy.v3.FilterConfig":
		return notedFilter("the host is resolved by DNS when the request comes")
	case "alternate_protocols_cache.v3.FilterConfig", "aws_request_signing.v3.AwsRequestSigning",
		"compressor.v3.Compressor", "connect_grpc_bridge.v3.FilterConfig", "credential_injector.v3.CredentialInjector",
		"custom_response.v3.CustomResponse", "decompressor.v3.Decompressor", "grpc_http1_bridge.v3.Config",
		"grpc_http1_reverse_bridge.v3.FilterConfig", "grpc_stats.v3.FilterConfig", "grpc_web.v3.GrpcWeb",
		"grpc_field_extraction.v3.GrpcFieldExtractionConfig", "proto_message_extraction.v3.ProtoMessageExtractionConfig",
		"on_demand.v3.OnDemand", "original_src.v3.OriginalSrc", "set_filter_state.v3.Config", "stateful_session.v3.StatefulSession",
		"tap.v3.Tap", "kill_request.v3.KillRequest", "upstream_codec.v3.UpstreamCodec", "ip_tagging.v3.IPTagging", "geoip.v3.Geoip", "thrift_to_metadata.v3.ThriftToMetadata":
		return passFilter
	}
	return opaqueOf(short)
}

// decidingFilter are those that are judged by what is known.
func decidingFilter(short string) filter {
	switch short {
	case "router.v3.Router":
		return func(*filterInput) filterResult { return filterResult{State: ends} }
	case "rbac.v3.RBAC":
		return httpRBAC
	case "jwt_authn.v3.JwtAuthentication":
		return httpJWT
	case "fault.v3.HTTPFault":
		return httpFault
	case "cors.v3.Cors":
		return httpCORS
	case "csrf.v3.CsrfPolicy":
		return httpCSRF
	case "ext_authz.v3.ExtAuthz":
		return judgeExtAuthz
	case "ratelimit.v3.RateLimit":
		return httpRateLimit
	case "local_ratelimit.v3.LocalRateLimit":
		return localRateLimit
	case "lua.v3.Lua":
		return httpLua
	case "wasm.v3.Wasm":
		return wasmFilter
	case "oauth2.v3.OAuth2":
		return httpOAuth2
	case "grpc_json_transcoder.v3.GrpcJsonTranscoder":
		return httpTranscoder
	case "header_mutation.v3.HeaderMutation":
		return httpHeaderMutation
	case "set_metadata.v3.Config":
		return httpSetMetadata
	case "header_to_metadata.v3.Config", "json_to_metadata.v3.JsonToMetadata":
		return httpToMetadata
	case "health_check.v3.HealthCheck":
		return httpHealthCheck
	case "composite.v3.Composite":
		return passFilter // without a matcher around it, it runs nothing
	}
	return nil
}

// opaqueOf are filters of Envoy whose answer no configuration tells.
func opaqueOf(short string) filter {
	switch short {
	case "ext_proc.v3.ExternalProcessor":
		return opaqueFilter("an external processor")
	case "golang.v3alpha.Config":
		return opaqueFilter("a Go plug-in")
	case "dynamic_modules.v3.DynamicModuleFilter":
		return opaqueFilter("a dynamic module")
	case "cache.v3.CacheConfig", "cache_v2.v3.CacheV2Config":
		return opaqueFilter("a cache")
	case "basic_auth.v3.BasicAuth":
		return opaqueFilter("basic authentication")
	case "api_key_auth.v3.ApiKeyAuth":
		return opaqueFilter("the check of an API key")
	case "aws_lambda.v3.Config":
		return opaqueFilter("the AWS Lambda filter")
	case "rate_limit_quota.v3.RateLimitQuotaFilterConfig":
		return opaqueFilter("a rate limit service (quota)")
	case "gcp_authn.v3.GcpAuthnFilterConfig":
		return passFilter
	}
	return nil
}

// istioFilter are filters of Istio's own Envoy: they gather telemetry and
// prepare what goes to the server, and none of them stops a request.
func istioFilter(kind string) filter {
	switch kind {
	case "istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig":
		return istioALPN
	case "istio.envoy.config.filter.http.authn.v2alpha1.FilterConfig",
		"io.istio.http.peer_metadata.Config", "stats.PluginConfig", "istio.telemetry.stats.PluginConfig",
		"istio.envoy.config.filter.http.jwt_auth.v2alpha1.JwtAuthentication", "envoy.extensions.filters.http.istio_stats.v3.Config",
		"stackdriver.PluginConfig", "envoy.tcp.metadataexchange.config.MetadataExchange":
		return passFilter
	case "envoy.extensions.common.matching.v3.ExtensionWithMatcher":
		return withMatcher
	}
	return nil
}

// networkFilter is the judge of network filters other than the HTTP connection
// manager and the TCP proxy, which are the walk's own; nil when none knows it.
func networkFilter(typeURL string) filter {
	kind := shortType(typeURL)
	short, isEnvoys := strings.CutPrefix(kind, "envoy.extensions.filters.network.")
	if !isEnvoys {
		return istioFilter(kind)
	}
	switch short {
	case "rbac.v3.RBAC":
		return networkRBAC
	case "ext_authz.v3.ExtAuthz":
		return judgeExtAuthz
	case "sni_cluster.v3.SniCluster":
		return networkSNICluster
	case "local_ratelimit.v3.LocalRateLimit":
		return localRateLimit
	case "connection_limit.v3.ConnectionLimit":
		return connectionLimit
	case "direct_response.v3.Config":
		return networkDirect("the listener answers itself")
	case "echo.v3.Echo":
		return networkDirect("the listener sends back what it gets")
	case "wasm.v3.Wasm":
		return wasmFilter
	case "set_filter_state.v3.Config":
		return passFilter
	case "sni_dynamic_forward_proxy.v3.FilterConfig":
		return notedFilter("the server name (SNI) is resolved by DNS when the connection comes")
	case "mysql_proxy.v3.MySQLProxy", "mongo_proxy.v3.MongoProxy", "zookeeper_proxy.v3.ZooKeeperProxy", "kafka_broker.v3.KafkaBroker",
		"postgres_proxy.v3alpha.PostgresProxy":
		return notedFilter("it reads the protocol along the way, for telemetry")
	}
	return routingFilter(short)
}

// routingFilter are network filters that send bytes on by rules of their own,
// or ask somebody.
func routingFilter(short string) filter {
	switch short {
	case "redis_proxy.v3.RedisProxy":
		return opaqueFilter("the Redis proxy")
	case "thrift_proxy.v3.ThriftProxy":
		return opaqueFilter("the Thrift proxy")
	case "dubbo_proxy.v3.DubboProxy":
		return opaqueFilter("the Dubbo proxy")
	case "generic_proxy.v3.GenericProxy":
		return opaqueFilter("the generic proxy")
	case "ratelimit.v3.RateLimit":
		return opaqueFilter("a rate limit service")
	case "ext_proc.v3.NetworkExternalProcessor":
		return opaqueFilter("an external processor")
	case "golang.v3alpha.Config":
		return opaqueFilter("a Go plug-in")
	case "dynamic_modules.v3.DynamicModuleNetworkFilter":
		return opaqueFilter("a dynamic module")
	}
	return nil
}
