package trace

import (
	"encoding/json"
	"testing"
)

func decode[T any](t *testing.T, text string) *T {
	t.Helper()
	v := new(T)
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestPickHost(t *testing.T) {
	t.Parallel()
	table := decode[routeTable](t, `{"virtual_hosts":[
		{"name":"any","domains":["*"]},
		{"name":"short suffix","domains":["*.com"]},
		{"name":"prefix","domains":["api.*"]},
		{"name":"long prefix","domains":["api.shop.*"]},
		{"name":"dash","domains":["*-eu.shop.com"]},
		{"name":"suffix","domains":["*.shop.com","Other.Example"]},
		{"name":"exact","domains":["api.shop.com","api.shop.com:8080"]},
		{"name":"six","domains":["[::1]"]}]}`)
	for _, tc := range []struct {
		authority  string
		ignorePort bool
		want       string
	}{
		{"api.shop.com", false, "exact"},
		{"API.Shop.COM", false, "exact"},
		{"api.shop.com:8080", false, "exact"},
		{"api.shop.com:9090", false, "long prefix"},
		{"api.shop.com:9090", true, "exact"},
		{"www.shop.com", false, "suffix"},
		{"a.b.shop.com", false, "suffix"},
		{"x-eu.shop.com", false, "dash"},
		{".shop.com", false, "short suffix"}, // a wildcard stands for something
		{"api.shop.org", false, "long prefix"},
		{"api.", false, "any"},
		{"api.x", false, "prefix"},
		{"shop.com", false, "short suffix"},
		{"other.example", false, "exact of other"},
		{"nobody", false, "any"},
		{"[::1]:80", true, "six"},
		{"[::1]", true, "six"},
		{"", false, "any"},
	} {
		t.Run(tc.authority, func(t *testing.T) {
			t.Parallel()
			copied := *table
			copied.IgnorePort = tc.ignorePort
			want := tc.want
			if want == "exact of other" {
				want = "suffix"
			}
			if got := copied.pickHost(tc.authority); got.host == nil || got.host.Name != want {
				t.Errorf("got %+v, want %s", got.host, want)
			}
		})
	}
	if got := decode[routeTable](t, `{"virtual_hosts":[{"name":"x","domains":["x"]}]}`).pickHost("y"); got.host != nil {
		t.Errorf("a host that nobody has is %s", got.host.Name)
	}
}
