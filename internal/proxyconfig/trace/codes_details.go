package trace

import "strings"

// detailCodes are the response code details that name what answered instead of
// the server.
func detailCodes() []Code {
	codes := append(routingDetails(), append(filterDetails(), upstreamDetails()...)...)
	for i := range codes {
		codes[i].Details = true
	}
	return codes
}

func routingDetails() []Code {
	return []Code{
		{
			Name: "via_upstream", Status: "the server's", Step: atServer,
			Meaning: "The status is the server's own.",
			Causes:  []string{"the application answered so: look at its log", "the next proxy (the server's sidecar, a waypoint) answered: look at that proxy's log"},
			Next:    []string{nextTrace},
		},
		{
			Name: "route_not_found", Status: "404", Step: atVirtualHost,
			Meaning: "No virtual host has the request's host, or none of its routes fits. The flag is NR.",
			Causes:  []string{"no VirtualService or HTTPRoute for this host on this gateway or port", "matches for other paths, methods or headers only"},
			Next:    []string{nextRoutes, nextTrace},
		},
		{
			Name: "route_configuration_not_found", Status: "404", Step: atVirtualHost,
			Meaning: "The listener's table of routes has not arrived.",
			Causes:  []string{"a new listener whose routes (RDS) are still under way, or were refused by Envoy"},
			Next:    []string{nextStatus, "meshctl proxy-config route POD"},
		},
		{
			Name: "filter_chain_not_found", Status: "closed", Step: atChain,
			Meaning: "No filter chain of the listener fits the connection, so it was closed. The flag is NR.",
			Causes: []string{
				"plain text to a workload with STRICT mutual TLS",
				"an SNI that no server of the Gateway has, or a client that sends none",
			},
			Next: []string{nextListener, nextTrace, nextAnalyze},
		},
		{
			Name: "cluster_not_found", Status: "503", Step: atCluster,
			Meaning: "The route names a cluster that the proxy does not have. The flag is NC.",
			Causes:  []string{"a subset that no DestinationRule defines", "a destination that is in no Service or ServiceEntry, or hidden by a Sidecar", "clusters that have not arrived yet"},
			Next:    []string{nextAnalyze, nextClusters, nextStatus},
		},
		{
			Name: "no_healthy_upstream", Status: "503", Step: atEndpoint,
			Meaning: "The cluster has no endpoint that may be used. The flag is UH.",
			Causes:  []string{"no Ready pod behind the Service or subset", "all endpoints ejected by outlier detection"},
			Next:    []string{nextEndpoint, nextAnalyze},
		},
		{
			Name: "direct_response", Status: "as configured", Step: atVirtualHost,
			Meaning: "The route answers itself: a directResponse or redirect, or Istio's own block of unknown hosts.",
			Causes: []string{
				"directResponse or redirect in the VirtualService or HTTPRoute",
				"502 with route block_all: the host is not in the registry and outboundTrafficPolicy is REGISTRY_ONLY",
				"an HTTPRoute whose backends are all missing answers 500",
				"301: httpsRedirect of a Gateway's server",
			},
			Next: []string{nextRoutes, nextTrace},
		},
		{
			Name: "internal_redirect", Step: atRoute,
			Meaning: "The proxy followed a redirect of the server itself; this is the log line of the first request.",
			Causes:  []string{"an internal redirect policy, added by an EnvoyFilter"},
			Next:    []string{nextRoutes},
		},
		{
			Name: "maintenance_mode", Status: "503", Step: atCluster,
			Meaning: "The cluster is in maintenance mode by a runtime setting of Envoy.",
			Causes:  []string{"upstream.maintenance_mode.CLUSTER set through the admin interface or bootstrap"},
			Next:    []string{nextClusters},
		},
		{
			Name: "upgrade_failed", Status: "403", Step: atFilter,
			Meaning: "The client asked for an upgrade (WebSocket, CONNECT) that is not allowed here.",
			Causes:  []string{"CONNECT or an unknown Upgrade header to a listener that only allows WebSocket"},
			Next:    []string{nextTrace, nextListener},
		},
	}
}

func filterDetails() []Code {
	return []Code{
		{
			Name: "rbac_access_denied_matched_policy", called: []string{"RBAC", "rbac_access_denied"}, Status: "403, or closed", Step: atFilter, parts: policyPart,
			Meaning: "Authorization denied it; the policy that decided stands in brackets. There is no response flag for it.",
			Causes: []string{
				"[none]: there is an ALLOW policy for the workload, and no ALLOW policy has this request",
				"[ns[...]-policy[...]-rule[...]]: this DENY policy matched, or a CUSTOM one whose provider is not configured",
				"the caller's identity is not what the policy says: plain text has none, another trust domain or ServiceAccount",
				"an empty spec ({}) allows nothing",
			},
			Next: []string{nextTrace, "meshctl proxy-config log deploy/SERVER --level rbac:debug", "kubectl get authorizationpolicies -A"},
		},
		{
			Name: "jwt_authn_access_denied", called: []string{"JWT"}, Status: "401 or 403", Step: atFilter, parts: jwtPart,
			Meaning: "The web token was refused; the reason stands in brackets.",
			Causes:  []string{"expired, or for another audience", "signed with a key that jwksUri does not have", "an issuer that no RequestAuthentication knows", "the keys could not be fetched"},
			Next:    []string{nextTrace, "kubectl get requestauthentications -A -o yaml", "meshctl proxy-config log POD --level jwt:debug"},
		},
		{
			Name: "ext_authz_denied", Status: "as the service says", Step: atFilter,
			Meaning: "The external authorization service said no. The flag is UAEX.",
			Causes:  []string{"the service's own rules: its log says which", "an AuthorizationPolicy with action CUSTOM that covers more than it should"},
			Next:    []string{nextTrace},
		},
		{
			Name: "ext_authz_error", Status: "403, or statusOnError", Step: atFilter,
			Meaning: "The external authorization service could not be asked, and failure is denial. The flag is UAEX.",
			Causes:  []string{"the service is down, slow or has no endpoints", "its host or port in extensionProviders is wrong, or TLS does not fit"},
			Next:    []string{"meshctl proxy-config endpoint POD --status unhealthy", nextTrace},
		},
		{
			Name: "fault_filter_abort", Status: "as configured", Step: atFilter,
			Meaning: "A fault of a VirtualService answered (fault.abort). The flag is FI.",
			Causes:  []string{"fault.abort in the VirtualService of this host, perhaps left over from a test"},
			Next:    []string{nextTrace, nextRoutes},
		},
		{
			Name: "request_rate_limited", Status: "429", Step: atFilter,
			Meaning: "The rate limit service said that the limit is reached. The flag is RL.",
			Causes:  []string{"a descriptor of the route is over its limit"},
			Next:    []string{nextTrace},
		},
		{
			Name: "local_rate_limited", Status: "429", Step: atFilter,
			Meaning: "This proxy's own limit was reached (token bucket). The flag is RL.",
			Causes:  []string{"a local rate limit of an EnvoyFilter: each proxy counts for itself, so the limit is per pod"},
			Next:    []string{nextTrace, "kubectl get envoyfilters -A"},
		},
		{
			Name: "rate_limiter_error", Status: "500", Step: atFilter,
			Meaning: "The rate limit service could not be asked, and failure is denial. The flag is RLSE.",
			Causes:  []string{"the rate limit service is down or slow"},
			Next:    []string{nextTrace},
		},
		{
			Name: "cors_response", Status: "200", Step: atFilter,
			Meaning: "The proxy answered a CORS preflight (OPTIONS with Origin and Access-Control-Request-Method) itself.",
			Causes:  []string{"corsPolicy in the VirtualService, with an origin that it allows"},
			Next:    []string{nextRoutes},
		},
		{
			Name: "csrf_origin_mismatch", Status: "403", Step: atFilter,
			Meaning: "The CSRF filter denied a request that changes something and comes from another origin.",
			Causes:  []string{"a CSRF filter of an EnvoyFilter without this origin in its additional origins"},
			Next:    []string{nextTrace},
		},
		{
			Name: "lua_response", Status: "as the script says", Step: atFilter,
			Meaning: "A Lua script in the proxy answered.",
			Causes:  []string{"an EnvoyFilter with a Lua filter that calls respond()"},
			Next:    []string{nextTrace, "kubectl get envoyfilters -A"},
		},
		{
			Name: "wasm_fail_stream", Status: "503", Step: atFilter,
			Meaning: "A Wasm module failed, and the plug-in does not let requests pass then.",
			Causes:  []string{"the module crashed or could not be loaded (WasmPlugin with failStrategy FAIL_CLOSE)"},
			Next:    []string{nextTrace, "kubectl get wasmplugins -A", "meshctl proxy-config log POD --level wasm:debug"},
		},
		{
			Name: "ext_proc_error", Status: "500", Step: atFilter,
			Meaning: "The external processing service failed, and the filter does not let requests pass then.",
			Causes:  []string{"the service of an ext_proc filter is down, slow, or answered what is not allowed"},
			Next:    []string{nextTrace, "kubectl get envoyfilters -A"},
		},
		{
			Name: "filter_removed_required_request_headers", Status: "503", Step: atFilter,
			Meaning: "A filter took away a header that every request needs, such as :path or :authority.",
			Causes:  []string{"a Lua or Wasm plug-in, or a header rule of an EnvoyFilter"},
			Next:    []string{nextTrace},
		},
	}
}

// jwtPart says what the JWT filter's reason means.
func jwtPart(part string) string {
	words := strings.ToLower(strings.ReplaceAll(part, "_", " "))
	for _, known := range [][2]string{
		{"jwt is missing", "There was no token where the rules look for one, and they require one."},
		{"jwt is expired", "The token's exp is in the past (the proxy's clock counts)."},
		{"jwt not yet valid", "The token's nbf is in the future (the proxy's clock counts)."},
		{"jwt issuer is not configured", "The token's iss is in no RequestAuthentication for this workload."},
		{"audiences in jwt are not allowed", "The token's aud is none of the audiences of the RequestAuthentication; the status is 403."},
		{"jwks remote fetch is failed", "The keys at jwksUri could not be fetched: by istiod as a rule, so look at its log."},
		{"jwt verification fails", "The signature does not fit the key: the token is from another issuer's key, or was changed."},
		{"jwks doesn't have key", "No key of jwksUri has the token's kid or alg: the keys were rotated, or it is another issuer's token."},
		{"jwt is not in the form", "The token does not consist of three parts with dots between them."},
	} {
		if strings.HasPrefix(words, known[0]) {
			return known[1]
		}
	}
	return ""
}
