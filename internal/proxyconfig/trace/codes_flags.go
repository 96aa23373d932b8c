package trace

// The steps that codes point to.
const (
	atListener    = "listener"
	atChain       = "filter chain"
	atFilter      = "HTTP filters"
	atVirtualHost = "virtual host and route"
	atRoute       = "route: timeouts, retries, weights"
	atCluster     = "cluster"
	atTLS         = "TLS between the proxies"
	atEndpoint    = "endpoints"
	atServer      = "the server's side"
)

const (
	nextTrace    = "meshctl trace --from POD -- GET URL"
	nextStatus   = "meshctl proxy-status"
	nextAnalyze  = "meshctl analyze -n NAMESPACE"
	nextRoutes   = "meshctl routes POD --host HOST"
	nextClusters = "meshctl proxy-config cluster POD --fqdn HOST -o wide"
	nextEndpoint = "meshctl proxy-config endpoint POD --cluster CLUSTER"
	nextListener = "meshctl proxy-config listener POD --port PORT"
	nextSecrets  = "meshctl proxy-config secret POD"
)

// flagCodes are Envoy's response flags.
func flagCodes() []Code {
	return append(upstreamFlags(), append(requestFlags(), rareFlags()...)...)
}

func upstreamFlags() []Code {
	return []Code{
		{
			Name: "UH", Long: "NoHealthyUpstream", Status: "503", Step: atEndpoint,
			Meaning: "The cluster was found, but has no endpoint that may be used.",
			Causes: []string{
				"no pod is Ready behind the Service, or its selector or targetPort fits none",
				"the subset's labels fit no pod",
				"outlier detection ejected all endpoints",
				"a TCP connection to a host outside the registry, with outboundTrafficPolicy REGISTRY_ONLY (cluster BlackHoleCluster)",
				"the proxy has not yet got the endpoints (STALE in proxy-status)",
			},
			Next: []string{nextEndpoint, "meshctl proxy-config endpoint POD --status unhealthy", nextAnalyze},
		},
		{
			Name: "UF", Long: "UpstreamConnectionFailure", Status: "503", Step: atTLS,
			Meaning: "An endpoint was chosen, but the connection to it could not be made: refused, timed out, or broken off in the TLS handshake.",
			Causes: []string{
				"one side speaks mutual TLS and the other does not: a DestinationRule's tls mode against the PeerAuthentication",
				"nothing listens on the target port, or only on 127.0.0.1",
				"a NetworkPolicy or firewall drops it (it then takes the whole connectTimeout)",
				"certificates expired or of different roots",
				"for PassthroughCluster: the address outside the mesh does not answer",
			},
			Next: []string{nextTrace, nextClusters, "meshctl proxy-config rootca-compare POD OTHERPOD", nextAnalyze},
		},
		{
			Name: "UO", Long: "UpstreamOverflow", Status: "503", Step: atCluster,
			Meaning: "A circuit breaker was open: too many connections, pending requests or requests at once for this cluster.",
			Causes: []string{
				"connectionPool in the DestinationRule is too small for the load (http1MaxPendingRequests, http2MaxRequests, maxConnections)",
				"the server became slow, so requests pile up",
			},
			Next: []string{nextClusters, "meshctl proxy-config stats POD"},
		},
		{
			Name: "NR", Long: "NoRouteFound", Status: "404, or closed", Step: atVirtualHost,
			Meaning: "No route fits the request's host, path and headers; or, without a status, no filter chain fits the connection (port, SNI, ALPN).",
			Causes: []string{
				"no VirtualService for this host on this gateway: its hosts or its gateways entry differ from what the client asks for",
				"every match of the VirtualService is for another path, method or header",
				"TLS with an SNI that no server of the Gateway has, or none",
				"plain text to a port with STRICT mutual TLS: no filter chain (details filter_chain_not_found)",
				"a gateway whose listener has no route yet (proxy-status: STALE)",
			},
			Next: []string{nextRoutes, nextTrace, nextAnalyze},
		},
		{
			Name: "URX", Long: "UpstreamRetryLimitExceeded", Status: "503", Step: atRoute,
			Meaning: "All tries, the retries included, failed. The flag beside it says how the last one did.",
			Causes: []string{
				"the server is really down, see the flag beside it",
				"for TCP: maxConnectAttempts reached without a connection",
			},
			Next: []string{nextEndpoint, nextTrace},
		},
		{
			Name: "NC", Long: "NoClusterFound", Status: "503", Step: atCluster,
			Meaning: "A route fits, but the cluster it names is not in the proxy.",
			Causes: []string{
				"a subset that no DestinationRule defines",
				"a destination host or port that is in no Service and no ServiceEntry, or that the Sidecar resource hides",
				"the proxy has the routes and not yet the clusters: look for STALE or ERROR (CDS)",
				"an EnvoyFilter that removed or renamed the cluster",
			},
			Next: []string{nextAnalyze, nextClusters, nextStatus},
		},
		{
			Name: "UT", Long: "UpstreamRequestTimeout", Status: "504", Step: atRoute,
			Meaning: "The server did not answer within the route's timeout.",
			Causes: []string{
				"timeout in the VirtualService shorter than the server needs; the caller's may be another one than the server's",
				"retries share the timeout: with perTryTimeout the last try may have had little time left",
				"the server is slow or hangs",
			},
			Next: []string{"meshctl proxy-config route POD -o wide", nextTrace},
		},
		{
			Name: "UR", Long: "UpstreamRemoteReset", Status: "503", Step: atServer,
			Meaning: "The server's side reset the stream before it had answered.",
			Causes: []string{
				"the application, or a proxy before it, broke the request off (HTTP/2 RST_STREAM)",
				"a server that does not speak the protocol that the port's name or appProtocol says",
			},
			Next: []string{nextTrace, "meshctl proxy-config log deploy/SERVER --level http:debug,router:debug"},
		},
		{
			Name: "UC", Long: "UpstreamConnectionTermination", Status: "503", Step: atServer,
			Meaning: "The connection was there, and the server's side closed it before it had answered.",
			Causes: []string{
				"the application closes idle connections sooner than the proxy does: raise its keep-alive above the proxy's idleTimeout",
				"the pod was stopped or crashed with the request under way",
				"plain text met TLS: the server closed what it did not understand (DestinationRule against PeerAuthentication)",
				"a TCP authorization policy closed it: the server's log then has rbac_access_denied_matched_policy",
			},
			Next: []string{nextTrace, nextAnalyze, "meshctl proxy-config log deploy/SERVER --level connection:debug,rbac:debug"},
		},
		{
			Name: "LR", Long: "LocalReset", Status: "503", Step: atServer,
			Meaning: "This proxy reset the stream to the server.",
			Causes: []string{
				"a protocol error in the stream to the server",
				"the client went away with the request under way",
			},
			Next: []string{"meshctl proxy-config log POD --level http:debug,router:debug"},
		},
	}
}

func requestFlags() []Code {
	return []Code{
		{
			Name: "UAEX", Long: "UnauthorizedExternalService", Status: "401 or 403", Step: atFilter,
			Meaning: "The external authorization service (AuthorizationPolicy with action CUSTOM) denied the request, or could not be asked and failure is denial.",
			Causes: []string{
				"the service said no: its own log says why",
				"the service is unreachable, and its provider in extensionProviders does not have failOpen",
				"the policy matches more requests than it was meant for",
			},
			Next: []string{nextTrace, "kubectl get authorizationpolicies -A"},
		},
		{
			Name: "DI", Long: "DelayInjected", Step: atFilter,
			Meaning: "The request was held back by a fault of a VirtualService (fault.delay); it then went on.",
			Causes:  []string{"fault.delay in the VirtualService of this host", "a fault injection filter of an EnvoyFilter"},
			Next:    []string{nextTrace, nextRoutes},
		},
		{
			Name: "FI", Long: "FaultInjected", Status: "as configured", Step: atFilter,
			Meaning: "The request was answered by a fault of a VirtualService (fault.abort), not by a server.",
			Causes:  []string{"fault.abort in the VirtualService of this host, perhaps left over from a test", "a fault injection filter of an EnvoyFilter"},
			Next:    []string{nextTrace, nextRoutes},
		},
		{
			Name: "RL", Long: "RateLimited", Status: "429", Step: atFilter,
			Meaning: "A rate limit, local or of a rate limit service, was reached.",
			Causes:  []string{"a local rate limit filter (EnvoyFilter) whose bucket was empty", "the rate limit service said that a descriptor is over its limit"},
			Next:    []string{nextTrace, "kubectl get envoyfilters -A"},
		},
		{
			Name: "RLSE", Long: "RateLimitServiceError", Status: "500", Step: atFilter,
			Meaning: "The rate limit service could not be asked, and the filter denies in that case.",
			Causes:  []string{"the rate limit service is down or slow", "failure_mode_deny is set in the EnvoyFilter"},
			Next:    []string{nextTrace, "meshctl proxy-config endpoint POD --status unhealthy"},
		},
		{
			Name: "DC", Long: "DownstreamConnectionTermination", Status: "0 (none)",
			Meaning: "The client closed the connection before it had the answer.",
			Causes: []string{
				"the client's own timeout is shorter than the answer takes",
				"the user left, or the client's pod was stopped",
				"another proxy or load balancer before this one gave up: see its log",
			},
			Next: []string{"meshctl proxy-config route POD -o wide"},
		},
		{
			Name: "SI", Long: "StreamIdleTimeout", Status: "408 or 504", Step: atRoute,
			Meaning: "Nothing moved in the stream for the idle timeout, from either side.",
			Causes:  []string{"an idle timeout set by an EnvoyFilter (Istio itself sets none), shorter than the pauses of a long-running stream such as gRPC or WebSocket", "a client that stops sending in the middle of a body"},
			Next:    []string{"meshctl proxy-config route POD -o wide"},
		},
		{
			Name: "DPE", Long: "DownstreamProtocolError", Status: "400", Step: atChain,
			Meaning: "What the client sent is not valid HTTP.",
			Causes: []string{
				"TLS or another protocol sent to a port that is declared as HTTP",
				"headers too large or forbidden; the details (http1... or http2...) say which",
			},
			Next: []string{nextListener, nextTrace},
		},
		{
			Name: "UPE", Long: "UpstreamProtocolError", Status: "502", Step: atServer,
			Meaning: "What the server answered is not valid HTTP.",
			Causes: []string{
				"the port's name or appProtocol says HTTP/2 or gRPC and the server speaks HTTP/1.1, or the other way round",
				"plain HTTP sent to a server that expects TLS (or the reverse): originate TLS with a DestinationRule",
				"two content-length or transfer-encoding headers, or too many headers in the answer",
			},
			Next: []string{nextClusters, nextTrace, nextAnalyze},
		},
		{
			Name: "NFCF", Long: "NoFilterConfigFound", Status: "500", Step: atFilter,
			Meaning: "A filter's own configuration (ECDS) did not arrive in time, so the request was ended.",
			Causes:  []string{"a WasmPlugin whose module could not be fetched: see the istio-proxy log", "istiod refused or lost the ECDS resource"},
			Next:    []string{"meshctl proxy-config ecds POD", nextStatus},
		},
	}
}

func rareFlags() []Code {
	return []Code{
		{
			Name: "DT", Long: "DurationTimeout", Status: "closed", Step: atListener,
			Meaning: "The connection or request lived longer than it may.",
			Causes:  []string{"max_connection_duration or max_downstream_connection_duration set by an EnvoyFilter", "maxConnectionDuration in a DestinationRule"},
			Next:    []string{nextClusters, nextListener},
		},
		{
			Name: "LH", Long: "FailedLocalHealthCheck", Status: "503", Step: atFilter,
			Meaning: "This proxy answered a health check with failure.",
			Causes:  []string{"a health check filter (EnvoyFilter), with the proxy draining or set to failing through its admin interface"},
			Next:    []string{nextTrace},
		},
		{
			Name: "IH", Long: "InvalidEnvoyRequestHeaders", Status: "400", Step: atFilter,
			Meaning: "An x-envoy-... header of the request has a value that the router does not accept.",
			Causes:  []string{"a client that sets x-envoy-max-retries, x-envoy-upstream-rq-timeout-ms or the like with a bad value, where strict checking is on"},
			Next:    []string{nextTrace},
		},
		{
			Name: "UMSDR", Long: "UpstreamMaxStreamDurationReached", Status: "408 or 504", Step: atRoute,
			Meaning: "The stream lived longer than its maximum duration.",
			Causes:  []string{"max_stream_duration of the route, as its timeout or an EnvoyFilter sets it", "the time in the client's grpc-timeout header passed"},
			Next:    []string{"meshctl proxy-config route POD -o json", nextClusters},
		},
		{
			Name: "OM", Long: "OverloadManagerTerminated", Status: "503", Step: atListener,
			Meaning: "The proxy is short of memory or connections and sheds load.",
			Causes:  []string{"the proxy's memory limit is too small for its configuration or load", "the limit on downstream connections (global_downstream_max_connections) was reached"},
			Next:    []string{"meshctl proxy-config bootstrap POD -o json", "meshctl proxy-config stats POD"},
		},
		{
			Name: "DF", Long: "DnsResolutionFailed", Status: "503", Step: atEndpoint,
			Meaning: "The name of the server could not be resolved while the request waited.",
			Causes:  []string{"a ServiceEntry or gateway with dynamic DNS (wildcard host, DYNAMIC_DNS) and a name that does not exist", "the proxy cannot reach its DNS server"},
			Next:    []string{nextClusters, nextEndpoint},
		},
		{
			Name: "DO", Long: "DropOverload", Status: "503", Step: atEndpoint,
			Meaning: "A share of the requests is dropped on purpose: the endpoints came with drop_overloads.",
			Causes:  []string{"a control plane or EnvoyFilter that sends drop_overloads; istiod does not"},
			Next:    []string{"meshctl proxy-config endpoint POD --cluster CLUSTER -o json"},
		},
		{
			Name: "UDO", Long: "UnconditionalDropOverload", Status: "503", Step: atEndpoint,
			Meaning: "All requests are dropped on purpose: the endpoints came with drop_overloads of 100 %.",
			Causes:  []string{"a control plane or EnvoyFilter that sends drop_overloads; istiod does not"},
			Next:    []string{"meshctl proxy-config endpoint POD --cluster CLUSTER -o json"},
		},
		{
			Name: "DR", Long: "DownstreamRemoteReset", Status: "0 (none)",
			Meaning: "The client reset its HTTP/2 stream before it had the answer.",
			Causes:  []string{"the client cancelled (its deadline passed, its caller left)", "another proxy before this one timed out or retried: see its log"},
			Next:    []string{"meshctl proxy-config route POD -o wide"},
		},
		{
			Name: "RFCF", Long: "ResponseFromCacheFilter", Status: "as cached", Step: atFilter,
			Meaning: "The answer came from a cache filter in the proxy. This is no error.",
			Causes:  []string{"a cache filter added by an EnvoyFilter"},
			Next:    []string{nextTrace},
		},
		{
			Name: "-", Status: "the server's",
			Meaning: "No flag: the proxy found nothing wrong. The status is the server's own, unless the details are other than via_upstream.",
			Causes: []string{
				"the application answered so: look at its log",
				"a filter or route answered: RBAC (403), JWT (401), direct_response, a redirect; the response code details say which",
				"the next proxy answered: its log has the flag",
			},
			Step: atServer,
			Next: []string{nextTrace},
		},
	}
}
