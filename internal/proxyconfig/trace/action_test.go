package trace

import "testing"

// What is wanted here was seen in an Envoy 1.40.
func TestRedirects(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ route, path, host, proto, want string }{
		{`{"match":{"prefix":"/redir"},"redirect":{"https_redirect":true}}`, "/redir/a?b", "x", "http", "https://x/redir/a?b"},
		{`{"match":{"prefix":"/r2"},"redirect":{"path_redirect":"/x?y=1","host_redirect":"h.com"}}`, "/r2/a?b", "x", "http", "http://h.com/x?y=1"},
		{`{"match":{"prefix":"/r3"},"redirect":{"prefix_rewrite":"/zz","port_redirect":8443}}`, "/r3/a?b", "x", "http", "http://x:8443/zz/a?b"},
		{`{"match":{"safe_regex":{"regex":"/r4/.*"}},"redirect":{"regex_rewrite":{"pattern":{"regex":"/r4/([a-z]+)"},"substitution":"/q/\\1"},"strip_query":true}}`, "/r4/abc/1?b", "x", "http", "http://x/q/abc/1"},
		{`{"match":{"path":"/r5"},"redirect":{"prefix_rewrite":"/zz"}}`, "/r5?b", "x", "http", "http://x/zz?b"},
		{`{"match":{"prefix":"/r6"},"redirect":{"path_redirect":"/x","strip_query":true}}`, "/r6?b", "x", "http", "http://x/x"},
		{`{"match":{"prefix":"/r7"},"redirect":{"path_redirect":"/x"}}`, "/r7?b", "x", "http", "http://x/x?b"},
		{`{"match":{"prefix":"/"},"redirect":{"https_redirect":true}}`, "/", "x:80", "http", "https://x/"},
		{`{"match":{"prefix":"/"},"redirect":{"https_redirect":true}}`, "/", "x:8080", "http", "https://x:8080/"},
		{`{"match":{"prefix":"/"},"redirect":{"https_redirect":true,"port_redirect":8443}}`, "/", "x:8080", "http", "https://x:8443/"},
		{`{"match":{"prefix":"/"},"redirect":{"scheme_redirect":"http"}}`, "/", "[::1]:443", "https", "http://[::1]/"},
	} {
		t.Run(tc.want, func(t *testing.T) {
			t.Parallel()
			r := decode[route](t, tc.route)
			c := &Call{Method: "GET", Path: tc.path, Authority: tc.host, Scheme: tc.proto, Headers: Headers{{"x-forwarded-proto", tc.proto}}, Conn: &Connection{}}
			h := &httpWalk{call: c, route: r}
			if got, why := h.location(r.Redirect); got != tc.want || why != "" {
				t.Errorf("got %s %s", got, why)
			}
		})
	}
}

func TestRewrites(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ route, path, want string }{
		{`{"match":{"prefix":"/api"},"route":{"prefix_rewrite":"/"}}`, "/api/x?y", "//x?y"},
		{`{"match":{"prefix":"/api/"},"route":{"prefix_rewrite":"/"}}`, "/api/x?y", "/x?y"},
		{`{"match":{"path":"/api"},"route":{"prefix_rewrite":"/v2"}}`, "/api?y", "/v2?y"},
		{`{"match":{"path_separated_prefix":"/api"},"route":{"prefix_rewrite":"/v2"}}`, "/api/x", "/v2/x"},
		{`{"match":{"prefix":"/"},"route":{"regex_rewrite":{"pattern":{"regex":"^/api/([^/]+)/(.*)$"},"substitution":"/\\2/\\1$1"}}}`, "/api/a/b?c", "/b/a$1?c"},
		{`{"match":{"prefix":"/"},"route":{"cluster":"c"}}`, "/api", "/api"},
		{`{"match":{"path_match_policy":{"typed_config":{"@type":"x.UriTemplateMatchConfig","path_template":"/a/{x}/{y=**}"}}},"route":{"path_rewrite_policy":{"typed_config":{"@type":"x.UriTemplateRewriteConfig","path_template_rewrite":"/{y}/{x}"}}}}`, "/a/b/c/d", "/c/d/b"},
	} {
		t.Run(tc.route, func(t *testing.T) {
			t.Parallel()
			r := decode[route](t, tc.route)
			h := &httpWalk{call: &Call{Path: tc.path}, route: r}
			if got, why := h.rewritten(r.Action.PrefixRewrite, r.Action.RegexRewrite, r.Action.PathRewrite); got != tc.want || why != "" {
				t.Errorf("got %s %s, want %s", got, why, tc.want)
			}
		})
	}
}

func TestRetriesAndDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{}`:                                 "",
		`{"retry_on":"5xx"}`:                 "1 on 5xx",
		`{"retry_on":"5xx","num_retries":0}`: "",
		`{"retry_on":"retriable-status-codes","num_retries":3,"per_try_timeout":"1.500s","retriable_status_codes":[503]}`: "3 on retriable-status-codes [503], each within 1.5s",
	} {
		if got := decode[retryPolicy](t, text).String(); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
	for text, want := range map[string]string{"0s": "none", "15s": "15s", "90s": "1m30s", "x": "x"} {
		if got := duration(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}
