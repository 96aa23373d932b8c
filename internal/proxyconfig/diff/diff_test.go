package diff

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// dumpOf is a dump with these members in the sections of the name.
func dumpOf(parts ...string) string {
	all := map[string][]string{}
	for _, p := range parts {
		section, config, _ := strings.Cut(p, " ")
		all[section] = append(all[section], config)
	}
	section := func(name, field, wrap string) string {
		var items []string
		for _, config := range all[field] {
			items = append(items, fmt.Sprintf(wrap, config))
		}
		return fmt.Sprintf(`{"@type":"type.googleapis.com/envoy.admin.v3.%sConfigDump","version_info":"7",%q:[%s]}`, name, field, strings.Join(items, ","))
	}
	bootstrap := `{}`
	if b := all["bootstrap"]; b != nil {
		bootstrap = b[0]
	}
	return `{"configs":[` + strings.Join([]string{
		`{"@type":"type.googleapis.com/envoy.admin.v3.BootstrapConfigDump","bootstrap":` + bootstrap + `}`,
		section("Clusters", "dynamic_active_clusters", `{"cluster":%s,"last_updated":"2026-01-01T00:00:00Z"}`),
		section("Endpoints", "dynamic_endpoint_configs", `{"endpoint_config":%s}`),
		section("Listeners", "dynamic_listeners", `%s`),
		section("Routes", "dynamic_route_configs", `{"version_info":"3","route_config":%s}`),
		section("Secrets", "dynamic_active_secrets", `{"secret":%s}`),
	}, ",") + `]}`
}

func side(name, text string) Side {
	return Side{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

func compared(t *testing.T, a, b string, o Options) *Report {
	t.Helper()
	r, err := Compare(side("A", a), side("B", b), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// lines are the changes as OWNER: SECTION OBJECT ACTION TEXT.
func (r *Report) lines() []string {
	var out []string
	for _, o := range r.Owners {
		for _, c := range o.Changes {
			out = append(out, fmt.Sprintf("%s: %s %s: %s", o.Owner, c.Action, objectName(c.Section, c.Object), c.Text))
		}
	}
	return out
}

const twoHosts = `dynamic_route_configs {"name":"80","virtual_hosts":[
	{"name":"a.shop.svc.cluster.local:80","domains":["a","a.shop"],"routes":[{"match":{"prefix":"/x"},"route":{"cluster":"c1"}},{"match":{"prefix":"/"},"route":{"cluster":"c2","timeout":"5s"}}]},
	{"name":"b:80","domains":["b"],"routes":[]}]}`

// TestSame has in each case two dumps that differ in one thing that means nothing.
func TestSame(t *testing.T) {
	t.Parallel()
	listener := func(rest string) string {
		return `dynamic_listeners {"name":"l","active_state":{"listener":{"name":"l"` + rest + `}}}`
	}
	for name, c := range map[string][2]string{
		"order of clusters":         {dumpOf(`dynamic_active_clusters {"name":"a"}`, `dynamic_active_clusters {"name":"b"}`), dumpOf(`dynamic_active_clusters {"name":"b"}`, `dynamic_active_clusters {"name":"a"}`)},
		"order of members":          {dumpOf(`dynamic_active_clusters {"name":"a","type":"EDS"}`), dumpOf(`dynamic_active_clusters {"type": "EDS", "name" : "a"}`)},
		"versions":                  {dumpOf(), strings.ReplaceAll(dumpOf(), `"version_info":"7"`, `"version_info":"8"`)},
		"timestamps":                {dumpOf(`dynamic_active_clusters {"name":"a"}`), strings.ReplaceAll(dumpOf(`dynamic_active_clusters {"name":"a"}`), "2026-01", "2026-02")},
		"order of virtual hosts":    {dumpOf(twoHosts), dumpOf(`dynamic_route_configs {"name":"80","virtual_hosts":[{"name":"b:80","domains":["b"],"routes":[]},` + strings.TrimSuffix(strings.SplitN(twoHosts, "[", 2)[1], ",\n\t{\"name\":\"b:80\",\"domains\":[\"b\"],\"routes\":[]}]}") + `]}`)},
		"order of domains":          {dumpOf(twoHosts), dumpOf(strings.Replace(twoHosts, `["a","a.shop"]`, `["a.shop","a"]`, 1))},
		"order of endpoints":        {dumpOf(`dynamic_endpoint_configs {"cluster_name":"a","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}}},{"endpoint":{"address":{"socket_address":{"address":"10.0.0.2","port_value":80}}}}]}]}`), dumpOf(`dynamic_endpoint_configs {"cluster_name":"a","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.2","port_value":80}}}},{"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}}}]}]}`)},
		"order of localities":       {dumpOf(`dynamic_endpoint_configs {"cluster_name":"a","endpoints":[{"locality":{"zone":"x"}},{"locality":{"zone":"y"}}]}`), dumpOf(`dynamic_endpoint_configs {"cluster_name":"a","endpoints":[{"locality":{"zone":"y"}},{"locality":{"zone":"x"}}]}`)},
		"order of filter chains":    {dumpOf(listener(`,"filter_chains":[{"filter_chain_match":{"destination_port":80}},{"filter_chain_match":{"destination_port":81}}]`)), dumpOf(listener(`,"filter_chains":[{"filter_chain_match":{"destination_port":81}},{"filter_chain_match":{"destination_port":80}}]`))},
		"order of names in a match": {dumpOf(listener(`,"filter_chains":[{"filter_chain_match":{"server_names":["a","b"]}}]`)), dumpOf(listener(`,"filter_chains":[{"filter_chain_match":{"server_names":["b","a"]}}]`))},
		"order of principals":       {dumpOf(listener(`,"principals":[{"any":true},{"header":{"name":"x"}}]`)), dumpOf(listener(`,"principals":[{"header":{"name":"x"}},{"any":true}]`))},
		"order of conditions":       {dumpOf(`dynamic_route_configs {"name":"r","virtual_hosts":[{"routes":[{"match":{"headers":[{"name":"a"},{"name":"b"}]}}]}]}`), dumpOf(`dynamic_route_configs {"name":"r","virtual_hosts":[{"routes":[{"match":{"headers":[{"name":"b"},{"name":"a"}]}}]}]}`)},
		"spelling of a duration":    {dumpOf(`dynamic_active_clusters {"name":"a","connect_timeout":"1s"}`), dumpOf(`dynamic_active_clusters {"name":"a","connect_timeout":"1.000s"}`)},
		"spelling of a number":      {dumpOf(`dynamic_active_clusters {"name":"a","n":1}`), dumpOf(`dynamic_active_clusters {"name":"a","n":1.0}`)},
		"istiod's spelling":         {dumpOf(`dynamic_active_clusters {"name":"a","connect_timeout":"1s","proxy_100_continue":true,"metadata":{"filter_metadata":{"x":{"tlsMode":"istio"}}}}`), strings.NewReplacer("dynamic_active_clusters", "dynamicActiveClusters").Replace(dumpOf(`dynamic_active_clusters {"name":"a","connectTimeout":"1s","proxy100Continue":true,"metadata":{"filterMetadata":{"x":{"tlsMode":"istio"}}}}`))},
		"a listener on its way out": {dumpOf(listener("")), dumpOf(listener(""), `dynamic_listeners {"name":"old","draining_state":{"listener":{"name":"old"}}}`)},
		"when it was refused":       {dumpOf(`dynamic_listeners {"name":"l","error_state":{"details":"no","last_update_attempt":"1"}}`), dumpOf(`dynamic_listeners {"name":"l","error_state":{"details":"no","last_update_attempt":"2"}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r := compared(t, c[0], c[1], Options{}); !r.Same || !r.Complete {
				t.Errorf("they differ:\n%s", strings.Join(r.lines(), "\n"))
			}
			if r := compared(t, c[0], c[0], Options{}); !r.Same {
				t.Errorf("a dump differs from itself:\n%s", strings.Join(r.lines(), "\n"))
			}
		})
	}
}

// TestDifferent has in each case one real difference.
func TestDifferent(t *testing.T) {
	t.Parallel()
	chain := func(name, filters string) string {
		return `dynamic_listeners {"name":"l","active_state":{"listener":{"name":"l","filter_chains":[{"name":"` + name + `","filter_chain_match":{"destination_port":80},"filters":[` + filters + `]}]}}}`
	}
	owned := `,"metadata":{"filter_metadata":{"istio":{"config":"/apis/networking.istio.io/v1/namespaces/shop/destination-rule/catalog"}}}}`
	for name, c := range map[string]struct {
		a, b string
		want []string
	}{
		"a field": {dumpOf(`dynamic_active_clusters {"name":"outbound|80||catalog.shop.svc.cluster.local","connect_timeout":"10s"}`), dumpOf(`dynamic_active_clusters {"name":"outbound|80||catalog.shop.svc.cluster.local","connect_timeout":"5s"}`),
			[]string{"Service catalog.shop: changed cluster outbound|80||catalog.shop.svc.cluster.local: connect_timeout: 10s -> 5s"}},
		"a DestinationRule's": {dumpOf(`dynamic_active_clusters {"name":"c","connect_timeout":"10s"` + owned), dumpOf(`dynamic_active_clusters {"name":"c"` + owned),
			[]string{"DestinationRule catalog.shop: removed cluster c: connect_timeout: 10s"}},
		"a cluster more": {dumpOf(), dumpOf(`dynamic_active_clusters {"name":"outbound|443||api.example.com"}`),
			[]string{"ServiceEntry for api.example.com: added cluster outbound|443||api.example.com: cluster outbound|443||api.example.com"}},
		"order of routes": {dumpOf(twoHosts), dumpOf(strings.Replace(twoHosts, `{"match":{"prefix":"/x"},"route":{"cluster":"c1"}},{"match":{"prefix":"/"},"route":{"cluster":"c2","timeout":"5s"}}`, `{"match":{"prefix":"/"},"route":{"cluster":"c2","timeout":"5s"}},{"match":{"prefix":"/x"},"route":{"cluster":"c1"}}`, 1)),
			[]string{"Service a.shop: moved route configuration 80: virtual_hosts[a.shop.svc.cluster.local:80].routes[/x*]: at another place in the order"}},
		"a route before the others": {dumpOf(twoHosts), dumpOf(strings.Replace(twoHosts, `"routes":[{"match":{"prefix":"/x"}`, `"routes":[{"match":{"path":"/new"},"name":"n","direct_response":{"status":503}},{"match":{"prefix":"/x"}`, 1)),
			[]string{"Service a.shop: added route configuration 80: route /new (n) -> status 503 in virtual_hosts[a.shop.svc.cluster.local:80]"}},
		"a route's timeout": {dumpOf(twoHosts), dumpOf(strings.Replace(twoHosts, `"timeout":"5s"`, `"timeout":"6s"`, 1)),
			[]string{"Service a.shop: changed route configuration 80: virtual_hosts[a.shop.svc.cluster.local:80].routes[/*].route.timeout: 5s -> 6s"}},
		"a domain": {dumpOf(twoHosts), dumpOf(strings.Replace(twoHosts, `"a.shop"]`, `"a.shop","new"]`, 1)),
			[]string{"Service a.shop: added route configuration 80: domain new in virtual_hosts[a.shop.svc.cluster.local:80]"}},
		"order of filters": {dumpOf(chain("c", `{"name":"x"},{"name":"y"}`)), dumpOf(chain("c", `{"name":"y"},{"name":"x"}`)),
			[]string{"Istio itself: moved listener l: filter_chains[c port 80].filters[x]: at another place in the order"}},
		"a policy": {dumpOf(chain("c", ``)), dumpOf(chain("c", `{"name":"envoy.filters.network.rbac","typed_config":{"rules":{"policies":{"ns[shop]-policy[deny]-rule[0]":{}}}}}`)),
			[]string{"AuthorizationPolicy deny.shop: added listener l: filter envoy.filters.network.rbac in filter_chains[c port 80]"}},
		"a rule of a policy": {dumpOf(chain("c", `{"name":"r","typed_config":{"rules":{"policies":{"ns[shop]-policy[a]-rule[0]":{},"ns[shop]-policy[b]-rule[0]":{"x":1}}}}}`)), dumpOf(chain("c", `{"name":"r","typed_config":{"rules":{"policies":{"ns[shop]-policy[a]-rule[0]":{},"ns[shop]-policy[b]-rule[0]":{"x":2}}}}}`)),
			[]string{"AuthorizationPolicy b.shop: changed listener l: filter_chains[c port 80].filters[r].rules.policies.ns[shop]-policy[b]-rule[0].x: 1 -> 2"}},
		"an endpoint": {dumpOf(`dynamic_endpoint_configs {"cluster_name":"outbound|80||a.shop.svc.cluster.local","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.1","port_value":80}}},"health_status":"HEALTHY"}]}]}`), dumpOf(`dynamic_endpoint_configs {"cluster_name":"outbound|80||a.shop.svc.cluster.local","endpoints":[{"lb_endpoints":[{"endpoint":{"address":{"socket_address":{"address":"10.0.0.2","port_value":80}}},"health_status":"UNHEALTHY"}]}]}`),
			[]string{"Service a.shop: removed endpoints of outbound|80||a.shop.svc.cluster.local: endpoint 10.0.0.1:80 in endpoints[0]", "Service a.shop: added endpoints of outbound|80||a.shop.svc.cluster.local: endpoint 10.0.0.2:80 UNHEALTHY in endpoints[0]"}},
		"what was refused": {dumpOf(chain("c", "")), dumpOf(strings.Replace(chain("c", ""), `"active_state"`, `"error_state":{"details":"no such filter","failed_configuration":{}},"active_state"`, 1)),
			[]string{"Istio itself: added listener l: refused: no such filter"}},
		"a secret": {dumpOf(`dynamic_active_secrets {"name":"kubernetes://shop-cert","generic_secret":{"secret":{"inline_string":"one"}}}`), dumpOf(`dynamic_active_secrets {"name":"kubernetes://shop-cert","generic_secret":{"secret":{"inline_string":"two"}}}`),
			[]string{"Secret shop-cert: changed secret kubernetes://shop-cert: generic_secret.secret.inline_string: another value, not shown"}},
		"the end of a long text": {dumpOf(`dynamic_active_clusters {"name":"c","x":"` + strings.Repeat("a", 500) + `1"}`), dumpOf(`dynamic_active_clusters {"name":"c","x":"` + strings.Repeat("a", 500) + `2"}`),
			[]string{"Istio itself: changed cluster c: x: ...aaaaaaaaaaaaaaaaaaaa1 -> ...aaaaaaaaaaaaaaaaaaaa2"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := compared(t, c.a, c.b, Options{})
			if d := cmp.Diff(c.want, r.lines()); d != "" || r.Same {
				t.Errorf("same %v (-want +got):\n%s", r.Same, d)
			}
		})
	}
}

// TestRedactedIsEqual: a dump from which secrets were taken is the same as the
// one that still has them.
func TestRedactedIsEqual(t *testing.T) {
	t.Parallel()
	live := dumpOf(`dynamic_active_clusters {"name":"a","password":"hunter2","api_key":12,"url":"https://me:pw12345678@host/x","note":"Bearer abcdefghijklmnopqrstuv"}`)
	var saved strings.Builder
	if err := proxyconfig.Redact(&saved, strings.NewReader(live)); err != nil || !strings.Contains(saved.String(), "[redacted]") || strings.Contains(saved.String(), "hunter2") {
		t.Fatalf("%v: %s", err, saved.String())
	}
	if r := compared(t, live, saved.String(), Options{}); !r.Same {
		t.Errorf("they differ:\n%s", strings.Join(r.lines(), "\n"))
	}
	other := strings.Replace(live, "hunter2", "hunter3", 1)
	want := []string{"Istio itself: changed cluster a: password: another value, not shown"}
	if d := cmp.Diff(want, compared(t, live, other, Options{}).lines()); d != "" {
		t.Error(d)
	}
}
