package trace

import (
	"encoding/json"
	"testing"
)

// TestShadowedBy judges pairs of matches: does the first take all that the
// second would? Where it is not certain the answer must be no.
func TestShadowedBy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		first, second string
		want          bool
	}{
		{"everything takes everything", `{"prefix":"/"}`, `{"path":"/x","headers":[{"name":"a","present_match":true}]}`, true},
		{"but not CONNECT", `{"prefix":"/"}`, `{"connect_matcher":{}}`, false},
		{"a prefix and a longer one", `{"prefix":"/api/"}`, `{"prefix":"/api/orders"}`, true},
		{"a prefix and a shorter one", `{"prefix":"/api/orders"}`, `{"prefix":"/api/"}`, false},
		{"a prefix and a path", `{"prefix":"/api"}`, `{"path":"/api/x"}`, true},
		{"a path and the same", `{"path":"/a"}`, `{"path":"/a"}`, true},
		{"a path and its prefix", `{"path":"/a"}`, `{"prefix":"/a"}`, false},
		{"a path of any case and the same", `{"path":"/A","case_sensitive":false}`, `{"path":"/a"}`, true},
		{"a path and the same of any case", `{"path":"/a"}`, `{"path":"/a","case_sensitive":false}`, false},
		{"a separated prefix and what is below", `{"path_separated_prefix":"/api"}`, `{"prefix":"/api/x"}`, true},
		{"a separated prefix and what only begins so", `{"path_separated_prefix":"/api"}`, `{"prefix":"/api"}`, false},
		{"a separated prefix and itself as a path", `{"path_separated_prefix":"/api"}`, `{"path":"/api"}`, true},
		{"a regex and a path of it", `{"safe_regex":{"regex":"/v[0-9]+"}}`, `{"path":"/v12"}`, true},
		{"a regex and another path", `{"safe_regex":{"regex":"/v[0-9]+"}}`, `{"path":"/v12/x"}`, false},
		{"a regex and the same", `{"safe_regex":{"regex":"/v.*"}}`, `{"safe_regex":{"regex":"/v.*"}}`, true},
		{"a regex and another is not certain", `{"safe_regex":{"regex":"/.*"}}`, `{"safe_regex":{"regex":"/v.*"}}`, false},
		{"a regex and a prefix is not certain", `{"safe_regex":{"regex":"/.*"}}`, `{"prefix":"/v"}`, false},
		{"a header more", `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"1"}}]}`, `{"prefix":"/"}`, false},
		{"the same header", `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"1"}}]}`, `{"prefix":"/x","headers":[{"name":"a","string_match":{"exact":"1"}},{"name":"b","present_match":true}]}`, true},
		{"another value", `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"1"}}]}`, `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"2"}}]}`, false},
		{"there, and a value", `{"prefix":"/","headers":[{"name":"a","present_match":true}]}`, `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"2"}}]}`, true},
		{"a prefix of a value", `{"prefix":"/","headers":[{"name":"a","string_match":{"prefix":"b"}}]}`, `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"bc"}}]}`, true},
		{"all but a value, and that value", `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"1"},"invert_match":true}]}`, `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"1"}}]}`, false},
		{"all but a value, and another: the header may have two lines", `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"1"},"invert_match":true}]}`, `{"prefix":"/","headers":[{"name":"a","string_match":{"exact":"2"}}]}`, false},
		{"a query more", `{"prefix":"/","query_parameters":[{"name":"a"}]}`, `{"prefix":"/"}`, false},
		{"the same query", `{"prefix":"/","query_parameters":[{"name":"a"}]}`, `{"prefix":"/","query_parameters":[{"name":"a","string_match":{"exact":"1"}}]}`, true},
		{"a share of requests", `{"prefix":"/","runtime_fraction":{"default_value":{"numerator":50}}}`, `{"prefix":"/"}`, false},
		{"all requests unless the runtime says otherwise", `{"prefix":"/","runtime_fraction":{"default_value":{"numerator":100},"runtime_key":"k"}}`, `{"prefix":"/"}`, false},
		{"gRPC only", `{"prefix":"/","grpc":{}}`, `{"prefix":"/"}`, false},
		{"gRPC and gRPC", `{"prefix":"/","grpc":{}}`, `{"prefix":"/a","grpc":{}}`, true},
		{"a token's claim", `{"prefix":"/","dynamic_metadata":[{"filter":"f","path":[{"key":"k"}],"value":{"present_match":true}}]}`, `{"prefix":"/"}`, false},
		{"cookies", `{"prefix":"/","cookies":[{"name":"c"}]}`, `{"prefix":"/"}`, false},
		{"templates", `{"path_match_policy":{"name":"t","typed_config":{"path_template":"/a/{b}"}}}`, `{"path_match_policy":{"name":"t","typed_config":{"path_template":"/a/{b}"}}}`, true},
	} {
		routes := make([]route, 2)
		for i, text := range []string{test.first, test.second} {
			if err := json.Unmarshal([]byte(text), &routes[i].Match); err != nil {
				t.Fatalf("%s: %v", test.name, err)
			}
		}
		if _, got := shadowedBy(routes, 1); got != test.want {
			t.Errorf("%s: got %v", test.name, got)
		}
	}
}
