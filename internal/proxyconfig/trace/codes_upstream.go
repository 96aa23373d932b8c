package trace

import "strings"

func upstreamDetails() []Code {
	return []Code{
		{
			Name: "upstream_reset_before_response_started", Status: "503", Step: atTLS, parts: resetPart,
			Meaning: "The request was lost between this proxy and the server, before any answer; how stands in brackets.",
			Causes: []string{
				"{connection_termination}: the server closed the connection (flag UC)",
				"{remote_connection_failure|...}: no connection could be made (flag UF)",
				"{remote_reset}: the server reset the stream (flag UR)",
				"{overflow}: a circuit breaker was open (flag UO)",
				"{...TLS_error...}: the TLS handshake failed",
			},
			Next: []string{nextTrace, nextClusters, nextAnalyze},
		},
		{
			Name: "upstream_reset_after_response_started", Status: "the server's, cut off", Step: atServer, parts: resetPart,
			Meaning: "The server broke off in the middle of its answer; how stands in brackets.",
			Causes:  []string{"the application or its pod stopped", "the idle or maximum time of a connection passed", "a protocol error in the body or trailers"},
			Next:    []string{nextTrace},
		},
		{
			Name: "response_timeout", Status: "504", Step: atRoute,
			Meaning: "The server did not answer within the route's timeout. The flag is UT.",
			Causes:  []string{"timeout of the VirtualService", "a slow server"},
			Next:    []string{"meshctl proxy-config route POD -o wide", nextTrace},
		},
		{
			Name: "upstream_response_timeout", Status: "504", Step: atRoute,
			Meaning: "The server did not answer within the route's timeout. The flag is UT.",
			Causes:  []string{"timeout of the VirtualService", "a slow server"},
			Next:    []string{"meshctl proxy-config route POD -o wide", nextTrace},
		},
		{
			Name: "upstream_per_try_timeout", Status: "504", Step: atRoute,
			Meaning: "The last try did not answer within its own time (retries.perTryTimeout). The flag is UT.",
			Causes:  []string{"perTryTimeout of the VirtualService", "a slow server"},
			Next:    []string{"meshctl proxy-config route POD -o wide", nextTrace},
		},
		{
			Name: "upstream_max_stream_duration_reached", Status: "408 or 504", Step: atRoute,
			Meaning: "The stream lived longer than its maximum duration. The flag is UMSDR.",
			Causes:  []string{"max_stream_duration of the route", "the client's grpc-timeout"},
			Next:    []string{"meshctl proxy-config route POD -o json"},
		},
		{
			Name: "stream_idle_timeout", Status: "408 or 504", Step: atRoute,
			Meaning: "Nothing moved in the stream for the idle timeout. The flag is SI.",
			Causes:  []string{"an idle timeout set by an EnvoyFilter; Istio itself sets none"},
			Next:    []string{"meshctl proxy-config route POD -o wide"},
		},
		{
			Name: "duration_timeout", Status: "closed", Step: atListener,
			Meaning: "The client's connection lived longer than it may. The flag is DT.",
			Causes:  []string{"max_connection_duration, set by an EnvoyFilter"},
			Next:    []string{nextListener},
		},
		{
			Name: "max_duration_timeout", Status: "408", Step: atListener,
			Meaning: "The request lived longer than the listener lets any live.",
			Causes:  []string{"max_stream_duration of the HTTP connection manager, set by an EnvoyFilter"},
			Next:    []string{nextListener},
		},
		{
			Name: "request_overall_timeout", Status: "408", Step: atListener,
			Meaning: "The client did not send its whole request in time.",
			Causes:  []string{"request_timeout, set by an EnvoyFilter, and a slow client"},
			Next:    []string{nextListener},
		},
		{
			Name: "request_header_timeout", Status: "408", Step: atListener,
			Meaning: "The client did not send its request's headers in time.",
			Causes:  []string{"request_headers_timeout, set by an EnvoyFilter, and a slow client"},
			Next:    []string{nextListener},
		},
		{
			Name: "downstream_remote_disconnect", Status: "0 (none)",
			Meaning: "The client closed the connection. The flag is DC.",
			Causes:  []string{"the client's timeout is shorter than the answer takes", "the client was stopped"},
			Next:    []string{"meshctl proxy-config route POD -o wide"},
		},
		{
			Name: "downstream_local_disconnect", Status: "0 (none)",
			Meaning: "This proxy closed the client's connection; what is in brackets says why.",
			Causes:  []string{"the proxy was stopped or drained", "a protocol error on the connection"},
			Next:    []string{nextStatus},
		},
		{
			Name: "request_payload_too_large", Status: "413", Step: atFilter,
			Meaning: "A filter had to hold the whole body, and it is larger than the buffer.",
			Causes:  []string{"external authorization or processing with the body, Lua, Wasm or a buffer filter", "a buffer limit (per_connection_buffer_limit_bytes) that is too small"},
			Next:    []string{nextTrace, nextListener},
		},
		{
			Name: "request_payload_exceeded_retry_buffer_limit", Step: atRoute,
			Meaning: "The body was too large to be kept for a retry, so the request was not tried again.",
			Causes:  []string{"retries of the route and a large body"},
			Next:    []string{"meshctl proxy-config route POD -o wide"},
		},
		{
			Name: "response_payload_too_large", Status: "500", Step: atFilter,
			Meaning: "A filter had to hold the whole answer, and it is larger than the buffer.",
			Causes:  []string{"Lua, Wasm or a buffer filter on the answer"},
			Next:    []string{nextTrace},
		},
		{
			Name: "overload", Status: "503", Step: atListener,
			Meaning: "The proxy is overloaded and takes no more requests. The flag is OM.",
			Causes:  []string{"the proxy's memory or connections are at their limit"},
			Next:    []string{"meshctl proxy-config stats POD"},
		},
	}
}

// resetPart says how a stream to the server was lost.
func resetPart(part string) string {
	text := strings.ToLower(strings.ReplaceAll(part, "_", " "))
	var said []string
	for _, known := range [][2]string{
		{"tls error", "The TLS handshake failed: certificates, roots, SNI or TLS against plain text."},
		{"wrong version number", "The server answered in plain text where TLS was expected."},
		{"certificate verify failed", "The server's certificate is of another root, or for another name (subjectAltNames)."},
		{"certificate has expired", "A certificate has expired."},
		{"connection refused", "Nothing listens on that address and port."},
		{"delayed connect error: 111", "Nothing listens on that address and port."},
		{"delayed connect error: 113", "There is no route to that address."},
		{"connection timeout", "The address did not answer within the connect timeout: a NetworkPolicy, a firewall or a dead node."},
		{"remote connection failure", "The connection could not be made."},
		{"connection failure", "The connection could not be made."},
		{"connection termination", "The server's side closed the connection."},
		{"remote refused stream reset", "The server refused the stream, so it did not begin with it."},
		{"remote reset", "The server's side reset the stream."},
		{"local reset", "This proxy reset the stream."},
		{"overflow", "A circuit breaker (connectionPool of the DestinationRule) was open."},
		{"protocol error", "What the server answered is not valid in the protocol that the port is declared with."},
	} {
		if strings.Contains(text, known[0]) && !covered(said, known[1]) {
			said = append(said, known[1])
		}
	}
	return strings.Join(said, " ")
}

// covered leaves out what has been said already, in these or narrower words.
func covered(said []string, next string) bool {
	for _, s := range said {
		if s == next || strings.Contains(next, "could not be made") || strings.Contains(next, "reset the stream") && strings.Contains(s, "refused the stream") {
			return true
		}
	}
	return false
}
