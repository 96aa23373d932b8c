package trace

// protocolCodes are the details about requests that are no valid HTTP, or that
// the listener does not take.
func protocolCodes() []Code {
	codes := make([]Code, 0, 32)
	add := func(name, status, meaning string, causes ...string) {
		codes = append(codes, Code{
			Name: name, Details: true, Status: status, Step: atChain, Meaning: meaning, Causes: causes,
			Next: []string{nextListener, "meshctl proxy-config log POD --level http:debug"},
		})
	}
	add("missing_host_header", "400", "The request has no Host or :authority.", "an HTTP/1.0 or hand-written client", "another protocol on an HTTP port")
	add("missing_path_rejected", "404", "The request has no path.", "a client that sends CONNECT or an empty :path")
	add("absolute_path_rejected", "404", "The request line holds a whole URL, and the listener takes paths only.", "a client that believes it talks to a forward proxy (http_proxy is set)")
	add("path_normalization_failed", "400", "The path cannot be brought into its normal form.", "broken percent encoding", "escaped slashes where pathNormalization forbids them")
	add("low_version", "426", "The request is HTTP/1.0, which this listener does not take.", "an old client or health checker; PILOT_HTTP10 or ISTIO_META_HTTP10 allows it")
	add("request_headers_failed_strict_check", "400", "An x-envoy-... header has a value that the router does not accept. The flag is IH.", "a client that sets x-envoy-... headers")
	add("admin_filter_response", "200", "Envoy's admin interface answered.", "a request to port 15000")

	add("http1.codec_error", "400", "The bytes are not HTTP/1. The flag is DPE.", "TLS, HTTP/2 or another protocol sent to an HTTP/1 port")
	add("http1.invalid_url", "400", "The request's URL is not valid.", "unescaped blanks or control characters")
	add("http1.invalid_characters", "400", "A header holds characters that are not allowed.", "control characters in a header's value")
	add("http1.invalid_scheme", "400", "The URL's scheme is not valid.", "a whole URL in the request line with a wrong scheme")
	add("http1.https_url_on_plaintext_connection", "403", "The request line says https:// and the connection is plain text.", "a client that sends whole URLs through plain text")
	add("http1.headers_too_large", "431", "The headers together are larger than 60 KiB, or what is configured.", "large cookies or tokens")
	add("http1.too_many_headers", "431", "There are more than 100 headers, or what is configured.", "a client or proxy that repeats headers")
	add("http1.content_length_and_chunked_not_allowed", "400", "Content-Length and chunked encoding stand together.", "a broken client or proxy, or an attempt at request smuggling")
	add("http1.invalid_transfer_encoding", "501", "The Transfer-Encoding is unknown.", "a broken client")
	add("http1.connection_header_rejected", "400", "The Connection header is malformed.", "a broken client or proxy")
	add("http1.body_disallowed", "400", "There is a body where none may be.", "a broken client")
	add("http1.content_length_not_allowed", "502", "The answer has a Content-Length that it may not have.", "a broken server")
	add("http1.transfer_encoding_not_allowed", "502", "The answer has a Transfer-Encoding that it may not have.", "a broken server")
	add("http1.unexpected_underscore", "400", "A header's name has an underscore, which the listener forbids.", "headers_with_underscores_action, set by an EnvoyFilter")

	add("http2.remote_reset", "0 (none)", "The client reset its stream. The flag is DR.", "the client cancelled; another proxy before this one timed out")
	add("http2.remote_refuse", "0 (none)", "The client refused the stream. The flag is DR.", "the client is shutting down")
	add("http2.too_many_headers", "431", "There are too many headers or trailers.", "a client or proxy that repeats headers")
	add("http2.header_list_size_too_large", "431", "The headers together are too large.", "large cookies or tokens")
	add("http2.invalid.header.field", "400", "A header is not valid in HTTP/2.", "upper-case names, Connection headers, or control characters")
	add("http2.violation.of.messaging.rule", "400", "The stream broke a rule of HTTP/2.", "a content-length that differs from the body, or a Host that differs from :authority")
	add("http2.inbound_empty_frames_flood", "closed", "The peer sent a flood of empty frames.", "a broken client, or an attack")
	add("http2.outbound_frames_flood", "closed", "Too many frames wait to be sent to the peer.", "a peer that sends and does not read")
	add("http2.unexpected_underscore", "400", "A header's name has an underscore, which the listener forbids.", "headers_with_underscores_action, set by an EnvoyFilter")
	add("http2.unknown.nghttp2.error", "closed", "The HTTP/2 codec failed for a reason without a name.", "a peer that does not speak HTTP/2")
	add("http3.headers_too_large", "431", "The headers together are too large.", "large cookies or tokens")
	add("http3.too_many_headers", "431", "There are too many headers.", "a client or proxy that repeats headers")
	add("http3.invalid_header_field", "400", "A header is not valid in HTTP/3.", "upper-case names or control characters")
	return codes
}
