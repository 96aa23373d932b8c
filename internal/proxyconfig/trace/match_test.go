package trace

import (
	"strings"
	"testing"
)

// What is wanted here was seen in an Envoy 1.40.
func TestHeaderMatchers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		matcher string
		lines   []string
		want    Answer
	}{
		{`{"name":"x-a","string_match":{"exact":"abc"}}`, []string{"abc"}, Yes},
		{`{"name":"X-A","string_match":{"exact":"abc"}}`, []string{"abc"}, Yes},
		{`{"name":"x-a","string_match":{"exact":"ABC"}}`, []string{"abc"}, No},
		{`{"name":"x-a","string_match":{"exact":"ABC","ignore_case":true}}`, []string{"abc"}, Yes},
		{`{"name":"x-a","string_match":{"exact":"abc"}}`, []string{"d", "abc"}, Yes},
		{`{"name":"x-a","string_match":{"exact":"abc,d"}}`, []string{"abc", "d"}, No},
		{`{"name":"x-a","string_match":{"exact":"abc"},"invert_match":true}`, []string{"d", "abc"}, No},
		{`{"name":"x-a","string_match":{"exact":"abc"},"invert_match":true}`, []string{"d"}, Yes},
		{`{"name":"x-a","string_match":{"exact":"abc"},"invert_match":true}`, nil, No},
		{`{"name":"x-a","string_match":{"exact":"abc"},"invert_match":true,"treat_missing_header_as_empty":true}`, nil, Yes},
		{`{"name":"x-a","string_match":{"exact":""},"treat_missing_header_as_empty":true}`, nil, Yes},
		{`{"name":"x-a","string_match":{"exact":""}}`, []string{""}, Yes},
		{`{"name":"x-a","string_match":{"prefix":"ab"}}`, []string{"abc"}, Yes},
		{`{"name":"x-a","string_match":{"suffix":"bc"}}`, []string{"abc"}, Yes},
		{`{"name":"x-a","string_match":{"contains":"b"}}`, []string{"abc"}, Yes},
		{`{"name":"x-a","string_match":{"safe_regex":{"regex":"a.c"}}}`, []string{"abc"}, Yes},
		{`{"name":"x-a","string_match":{"safe_regex":{"regex":"a.c"}}}`, []string{"abcd"}, No},
		{`{"name":"x-a","string_match":{"safe_regex":{"regex":"a|abc"}}}`, []string{"abc"}, Yes},
		{`{"name":"x-a","string_match":{"custom":{"name":"lua","typed_config":{}}}}`, []string{"abc"}, Maybe},
		{`{"name":"x-a","exact_match":"abc"}`, []string{"abc"}, Yes},
		{`{"name":"x-a","prefix_match":"b"}`, []string{"abc"}, No},
		{`{"name":"x-a","suffix_match":"c"}`, []string{"abc"}, Yes},
		{`{"name":"x-a","contains_match":"b"}`, []string{"abc"}, Yes},
		{`{"name":"x-a","safe_regex_match":{"regex":"[a-c]+"}}`, []string{"abc"}, Yes},
		{`{"name":"x-a"}`, []string{""}, Yes},
		{`{"name":"x-a"}`, nil, No},
		{`{"name":"x-a","invert_match":true}`, nil, Yes},
		{`{"name":"x-a","present_match":true}`, []string{"1"}, Yes},
		{`{"name":"x-a","present_match":false}`, []string{"1"}, No},
		{`{"name":"x-a","present_match":false}`, nil, Yes},
		{`{"name":"x-a","present_match":true,"invert_match":true}`, nil, Yes},
		{`{"name":"x-a","range_match":{"start":"-5","end":"10"}}`, []string{"-5"}, Yes},
		{`{"name":"x-a","range_match":{"start":-5,"end":10}}`, []string{"10"}, No},
		{`{"name":"x-a","range_match":{"start":-5,"end":10}}`, []string{"+7"}, Yes},
		{`{"name":"x-a","range_match":{"start":-5,"end":10}}`, []string{"1.5"}, No},
		{`{"name":"x-a","range_match":{"start":-5,"end":10}}`, []string{"50", "5"}, Yes},
		{`{"name":"x-a","range_match":{"start":-5,"end":10}}`, []string{""}, No},
		{`{"name":":method","string_match":{"exact":"GET"}}`, nil, Yes},
		{`{"name":":path","string_match":{"exact":"/p?q=1"}}`, nil, Yes},
		{`{"name":":authority","string_match":{"exact":"h"}}`, nil, Yes},
		{`{"name":"host","string_match":{"exact":"h"}}`, nil, Yes},
		{`{"name":"x-lua","string_match":{"exact":"h"}}`, nil, Maybe},
	} {
		t.Run(tc.matcher, func(t *testing.T) {
			t.Parallel()
			c := &Call{Method: "GET", Path: "/p?q=1", Authority: "h", Unknown: map[string]string{"x-lua": "filter lua"}}
			for _, line := range tc.lines {
				c.Headers.Add("x-a", line)
			}
			got := decode[headerMatcher](t, tc.matcher).match(c)
			if got.Answer != tc.want || got.Answer != Yes && got.Why == "" {
				t.Errorf("got %+v, want %v", got, tc.want)
			}
		})
	}
}

func TestRouteConditions(t *testing.T) {
	t.Parallel()
	const template = `{"path_match_policy":{"typed_config":{"@type":"type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig","path_template":"/tpl/{a}/*/b/{rest=**}"}}}`
	for _, tc := range []struct {
		match, path string
		want        Answer
		why         string
	}{
		{`{"prefix":"/api"}`, "/apix?y", Yes, ""},
		{`{"prefix":"/api"}`, "/x/api", No, "the path /x/api does not begin with /api"},
		{`{"prefix":"/API","case_sensitive":false}`, "/api", Yes, ""},
		{`{"path":"/api"}`, "/api?x=/y", Yes, ""},
		{`{"path":"/api"}`, "/api/", No, "the path /api/ is not /api"},
		{`{"path_separated_prefix":"/api"}`, "/api", Yes, ""},
		{`{"path_separated_prefix":"/api"}`, "/api/x", Yes, ""},
		{`{"path_separated_prefix":"/api"}`, "/apix", No, "the path /apix is not below /api"},
		{`{"path_separated_prefix":"/api"}`, "/api?x", Yes, ""},
		{`{"safe_regex":{"regex":"/i/[0-9]+"}}`, "/i/12?a", Yes, ""},
		{`{"safe_regex":{"regex":"/i/[0-9]+"}}`, "/i/12/a", No, "which does not match"},
		{`{"connect_matcher":{}}`, "/", No, "not CONNECT"},
		{template, "/tpl/1/2/b/c/d", Yes, ""},
		{template, "/tpl/1/2/b/", Yes, ""},
		{template, "/tpl/1/2/b", No, "does not fit"},
		{template, "/tpl//2/b/c", No, "does not fit"},
		{`{"prefix":"/","query_parameters":[{"name":"a"}]}`, "/?a", Yes, ""},
		{`{"prefix":"/","query_parameters":[{"name":"a"}]}`, "/?b=a", No, "query parameter a is missing"},
		{`{"prefix":"/","query_parameters":[{"name":"a","present_match":false}]}`, "/", Yes, ""},
		{`{"prefix":"/","query_parameters":[{"name":"a","present_match":false}]}`, "/?a=1", No, "query parameter a is there"},
		{`{"prefix":"/","query_parameters":[{"name":"a","string_match":{"exact":"x y"}}]}`, "/?a=x%20y", No, `"x%20y"`},
		{`{"prefix":"/","query_parameters":[{"name":"a","string_match":{"exact":"1"}}]}`, "/?a=1&a=2", Yes, ""},
		{`{"prefix":"/","query_parameters":[{"name":"a","string_match":{"exact":""}}]}`, "/?a", Yes, ""},
		{`{"prefix":"/","runtime_fraction":{"default_value":{"numerator":100}}}`, "/", Yes, ""},
		{`{"prefix":"/","runtime_fraction":{"default_value":{"numerator":0}}}`, "/", No, "0%"},
		{`{"prefix":"/","runtime_fraction":{"default_value":{"numerator":30}}}`, "/", Maybe, "30%"},
		{`{"prefix":"/","runtime_fraction":{"default_value":{"numerator":30}}}`, "/", Maybe, "30%"},
		{`{"prefix":"/x","runtime_fraction":{"default_value":{"numerator":30}}}`, "/", No, "begin"},
		{`{"prefix":"/","grpc":{}}`, "/", No, "no gRPC"},
		{`{"prefix":"/","cookies":[{"name":"s","string_match":{"exact":"1"}}]}`, "/", No, "cookie s is missing"},
		{`{"prefix":"/","tls_context":{"presented":true}}`, "/", No, "not TLS"},
		{`{"prefix":"/","dynamic_metadata":[{"filter":"f","path":[{"key":"k"}],"value":{"present_match":true}}]}`, "/", No, "f.k"},
		{`{"prefix":"/","filter_state":[{"key":"k"}]}`, "/", Maybe, "filter state"},
		{`{}`, "/", Maybe, "unknown here"},
	} {
		t.Run(tc.match+tc.path, func(t *testing.T) {
			t.Parallel()
			c := &Call{Method: "GET", Path: tc.path, Conn: &Connection{}}
			got := decode[routeMatch](t, tc.match).match(c, false)
			if got.Answer != tc.want || !strings.Contains(got.Why, tc.why) {
				t.Errorf("got %+v, want %v %q", got, tc.want, tc.why)
			}
		})
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	m := decode[routeMatch](t, `{"prefix":"/","cookies":[{"name":"s","string_match":{"exact":"1"}}]}`)
	for line, want := range map[string]Answer{"s=1; t=2": Yes, "t=2;s=1": Yes, "s=2; s=1": No, `s="1"`: Yes, "": No, "ss=1": No} {
		c := &Call{Method: "GET", Path: "/", Headers: Headers{{"cookie", line}}, Conn: &Connection{}}
		if got := m.match(c, false); got.Answer != want {
			t.Errorf("%q: %+v", line, got)
		}
	}
	c := &Call{Method: "GET", Path: "/", Headers: Headers{{"cookie", "t=1"}, {"cookie", "s=1"}}, Conn: &Connection{}}
	if got := m.match(c, false); got.Answer != Yes {
		t.Errorf("two lines: %+v", got)
	}
}

func TestFirstFailureIsTold(t *testing.T) {
	t.Parallel()
	m := decode[routeMatch](t, `{"prefix":"/api","headers":[{"name":"x-user","string_match":{"exact":"bob"}}]}`)
	c := &Call{Method: "GET", Path: "/api", Headers: Headers{{"x-user", "alice"}}, Conn: &Connection{}}
	if got := m.match(c, false); got.Why != `header x-user is "alice", not "bob"` {
		t.Error(got.Why)
	}
	if got := m.text(); got != "/api* x-user=bob" {
		t.Error(got)
	}
}
