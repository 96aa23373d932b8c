package trace

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

const frontend = "cluster.local/ns/shop/sa/frontend"

// TestPoliciesOfIstiod judges requests by the filters that istiod 1.31 makes
// out of testdata/filters/istiod.yaml: authorization of all four actions, a
// dry run, and tokens.
func TestPoliciesOfIstiod(t *testing.T) {
	t.Parallel()
	allowed := []string{"x-user: alice"}
	bob := meshConn("cluster.local/ns/ops/sa/bob")
	bob.Source = netip.MustParseAddrPort("192.168.1.1:99")
	opsInside := meshConn("cluster.local/ns/ops/sa/bob")
	sni := meshConn("cluster.local/ns/xyz/sa/z")
	sni.SNI, sni.Destination = "db.example.com", netip.MustParseAddr("10.1.2.3")
	admin := map[string][]string{"iss": {"https://issuer.example.com"}, "sub": {"me"}, "group": {"users", "admins"}, "aud": {"shop"}}
	guest := map[string][]string{"iss": {"https://issuer.example.com"}, "sub": {"me"}, "group": {"admins"}, "realm.roles": {"guest"}, "aud": {"shop"}}
	none := "403 rbac_access_denied_matched_policy[none]"
	cases := []filterCase{
		{name: "allowed by principal, method, path, host and header", request: "GET /api/x", headers: allowed, want: "passes", text: "allowed by AuthorizationPolicy callers.shop rule 0"},
		{name: "allowed by a path template", request: "GET /users/7/orders/a/b", headers: allowed, want: "passes", text: "rule 0"},
		{name: "the template has a segment more", request: "GET /users/7/8/orders/a", headers: allowed, want: none},
		{name: "allowed by namespace and address", request: "GET /api/x", headers: []string{"x-user: bob"}, conn: opsInside, want: "passes", text: "rule 0"},
		{name: "the address is another", request: "GET /api/x", headers: allowed, conn: bob, want: none},
		{name: "the method is another", request: "PUT /api/x", headers: allowed, want: none},
		{name: "the header is another", request: "GET /api/x", headers: []string{"x-user: carol"}, want: none},
		{name: "the host is another", request: "GET /api/x", headers: []string{"x-user: alice", "host: other"}, want: none},
		{name: "the host with a port", request: "GET /api/x", headers: []string{"x-user: alice", "host: backend.shop:80"}, want: "passes"},
		{name: "the query is no part of the path", request: "GET /api?/api/", headers: allowed, want: none},
		{name: "denied by path and method", request: "GET /admin/users", headers: allowed, want: "403 rbac_access_denied_matched_policy[ns[shop]-policy[no-admin]-rule[0]]", text: "denied by AuthorizationPolicy no-admin.shop rule 0"},
		{name: "denied by the end of the path", request: "POST /a/secret", headers: allowed, want: "403 rbac_access_denied_matched_policy[ns[shop]-policy[no-admin]-rule[0]]"},
		{name: "another method is not denied there", request: "DELETE /admin", want: none},
		{name: "a dry run denies nothing", request: "GET /api/x", headers: allowed, want: "passes"},
		{name: "what a dry run would deny", request: "GET /watched", headers: allowed, want: none, text: "no DENY policy matches\ndry run: AuthorizationPolicy watch.shop rule 0 would deny it"},
		{name: "audited", request: "GET /audit", headers: allowed, want: none, text: "audited by AuthorizationPolicy log.shop rule 0"},
		{name: "CUSTOM asks its provider", request: "GET /ask/me", headers: allowed, want: "opaque", text: "external authorization by outbound|80||frontend.shop.svc.cluster.local decides"},
		{name: "plain text has no identity", request: "GET /api/x", headers: allowed, conn: plainConn(), want: none},
		{name: "the identity is not known", request: "GET /api/x", headers: allowed, conn: meshConn(""), want: "opaque", text: "--source-principal"},
		{name: "allowed by claims", request: "DELETE /", conn: bob, claims: admin, want: "passes", text: "callers.shop rule 1"},
		{name: "a claim is excluded", request: "DELETE /", conn: bob, claims: guest, want: none},
		{name: "another audience", request: "DELETE /", conn: bob, claims: map[string][]string{"aud": {"other"}}, want: "403 jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}"},
		{name: "another issuer", request: "DELETE /", claims: map[string][]string{"iss": {"x"}}, want: "401 jwt_authn_access_denied{Jwt_issuer_is_not_configured}"},
		{name: "no token and none needed", request: "GET /api/x", headers: allowed, want: "passes", text: "it has no token, and needs none here"},
		{name: "no token of the right form", request: "GET /api/x", headers: []string{"x-token: Bearer abc"}, want: "401 jwt_authn_access_denied{Jwt_is_not_in_the_form_of_Header.Payload.Signature_with_two_dots_and_3_sections}"},
		{name: "the Authorization header is not looked at", request: "GET /api/x", headers: []string{"x-user: alice", "authorization: Bearer abc"}, want: "passes"},
		{name: "allowed by SNI, address and namespace", request: "DELETE /", conn: sni, want: "passes", text: "callers.shop rule 3"},
	}
	for i := range cases {
		cases[i].filters = "istiod-http.json"
	}
	runFilterCases(t, cases)
}

// TestPoliciesOfIstiodOnTCP is the same for a port without HTTP.
func TestPoliciesOfIstiodOnTCP(t *testing.T) {
	t.Parallel()
	_, result, _ := (&filterCase{filters: "istiod-tcp.json"}).run(t)
	if result.State != opaque || !strings.Contains(result.Text, "external authorization") || result.Owner.Name != "ask" {
		t.Errorf("CUSTOM: got %+v", result)
	}
	filters := (&filterCase{filters: "istiod-tcp.json"}).load(t)
	conn := meshConn(frontend)
	conn.Port = 5432
	judged := networkFilter(filters[3].typeURL())(&filterInput{Name: filters[3].Name, Config: filters[3].Config, Conn: &conn})
	if judged.State != answers || judged.Kind != Closed || judged.Owner.Name != "no-admin" || len(judged.Details) == 0 {
		t.Errorf("a DENY rule about HTTP denies all on a TCP port: got %+v", judged)
	}
}

// TestWhyNoPolicyMatched pins the reasons that people read.
func TestWhyNoPolicyMatched(t *testing.T) {
	t.Parallel()
	_, result, _ := (&filterCase{filters: "istiod-http.json", request: "PUT /api/x", headers: []string{"x-user: alice"}}).run(t)
	var got []string
	for _, c := range result.Rejected {
		got = append(got, c.Name+": "+c.Why)
	}
	want := []string{
		`AuthorizationPolicy callers.shop rule 0: the method is "PUT", not "GET"`,
		`AuthorizationPolicy callers.shop rule 1: there is no claim iss`,
		`AuthorizationPolicy callers.shop rule 2: the client's address is 10.0.0.9, not in 192.0.2.0/24`,
		`AuthorizationPolicy callers.shop rule 3: the SNI is "outbound_.80_._.backend.shop.svc.cluster.local", which does not end with ".example.com"`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	_, result, _ = (&filterCase{filters: "istiod-http.json", request: "GET /other", headers: []string{"x-user: alice"}}).run(t)
	if want := `the path is "/other", not /api/* or /users/*/orders/**`; len(result.Rejected) == 0 || result.Rejected[0].Why != want {
		t.Errorf("got %+v\nwant %s", result.Rejected, want)
	}
}

func rbacFilter(config string) string {
	return `[{"name":"rbac","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",` + config + `}}]`
}

// rule is a policy p with one permission and one principal.
func rule(action, permission, principal string) string {
	return rbacFilter(fmt.Sprintf(`"rules":{"action":%q,"policies":{"p":{"permissions":[%s],"principals":[%s]}}}`, action, permission, principal))
}

func TestRBAC(t *testing.T) {
	t.Parallel()
	const anyone = `{"any":true}`
	denied, byP := "403 rbac_access_denied_matched_policy[none]", "403 rbac_access_denied_matched_policy[p]"
	noCert := meshConn("")
	noCert.PeerKnown = true
	unknownPlace := meshConn(frontend)
	unknownPlace.Source, unknownPlace.Destination = netip.AddrPort{}, netip.Addr{}
	runFilterCases(t, []filterCase{
		{name: "no rules", filters: rbacFilter(`"stat_prefix":"x"`), request: "GET /", want: "passes"},
		{name: "rules without policies allow nothing", filters: rbacFilter(`"rules":{}`), request: "GET /", want: denied},
		{name: "DENY without policies denies nothing", filters: rbacFilter(`"rules":{"action":"DENY"}`), request: "GET /", want: "passes"},
		{name: "off for the route", filters: rbacFilter(`"rules":{}`), route: map[string]string{"rbac": `{}`}, request: "GET /", want: "passes", text: "switched off"},
		{name: "other rules for the route", filters: rbacFilter(`"rules":{}`), route: map[string]string{"rbac": `{"rbac":{"rules":{"action":"DENY"}}}`}, request: "GET /", want: "passes"},
		{name: "port", filters: rule("DENY", `{"destination_port":8080}`, anyone), request: "GET /", want: byP},
		{name: "another port", filters: rule("DENY", `{"destination_port":9}`, anyone), request: "GET /", want: "passes"},
		{name: "ports", filters: rule("ALLOW", `{"destination_port_range":{"start":8000,"end":8081}}`, anyone), request: "GET /", want: "passes"},
		{name: "the end of ports is outside", filters: rule("ALLOW", `{"destination_port_range":{"start":8000,"end":8080}}`, anyone), request: "GET /", want: denied},
		{name: "any TLS", filters: rule("ALLOW", anyone, `{"authenticated":{}}`), request: "GET /", conn: noCert, want: "passes"},
		{name: "no certificate", filters: rule("ALLOW", anyone, `{"authenticated":{"principal_name":{"safe_regex":{"regex":".+"}}}}`), request: "GET /", conn: noCert, want: denied},
		{name: "not", filters: rule("ALLOW", `{"not_rule":{"header":{"name":":method","string_match":{"exact":"GET"}}}}`, anyone), request: "GET /", want: denied, text: "no ALLOW policy matches"},
		{name: "present header", filters: rule("ALLOW", `{"header":{"name":"x-a","present_match":true}}`, anyone), request: "GET /", headers: []string{"x-a: 1"}, want: "passes"},
		{name: "addresses unknown", filters: rule("DENY", anyone, `{"direct_remote_ip":{"address_prefix":"10.0.0.0","prefix_len":8}}`), request: "GET /", conn: unknownPlace, want: "opaque", text: "--source-ip"},
		{name: "destination unknown", filters: rule("DENY", `{"destination_ip":{"address_prefix":"10.0.0.0","prefix_len":8}}`, anyone), request: "GET /", conn: unknownPlace, want: "opaque"},
		{name: "a No settles it whatever is unknown", filters: rule("DENY", `{"and_rules":{"rules":[{"destination_ip":{"address_prefix":"10.0.0.0","prefix_len":8}},{"destination_port":9}]}}`, anyone), request: "GET /", conn: unknownPlace, want: "passes"},
		{name: "waypoint's caller", filters: rule("ALLOW", anyone, `{"filter_state":{"key":"io.istio.peer_principal","string_match":{"exact":"spiffe://cluster.local/ns/shop/sa/frontend"}}}`), request: "GET /", want: "passes"},
		{name: "waypoint's other caller", filters: rule("ALLOW", anyone, `{"filter_state":{"key":"io.istio.peer_principal","string_match":{"exact":"spiffe://cluster.local/ns/shop/sa/other"}}}`), request: "GET /", want: denied},
		{name: "other state", filters: rule("ALLOW", anyone, `{"filter_state":{"key":"x","string_match":{"exact":"y"}}}`), request: "GET /", want: "opaque"},
		{name: "CEL", filters: rbacFilter(`"rules":{"policies":{"p":{"permissions":[{"any":true}],"principals":[{"any":true}],"condition":{"id":"1"}}}}`), request: "GET /", want: "opaque", text: "CEL"},
		{name: "extension", filters: rule("ALLOW", `{"matcher":{"name":"m","typed_config":{"@type":"type.googleapis.com/x.Y"}}}`, anyone), request: "GET /", want: "opaque", text: "x.Y"},
		{name: "kind of tomorrow", filters: rule("ALLOW", `{"something_new":{}}`, anyone), request: "GET /", want: "opaque", text: "unknown here"},
		{
			name:    "the first by name is named",
			filters: rbacFilter(`"rules":{"action":"DENY","policies":{"b":{"permissions":[{"any":true}],"principals":[{"any":true}]},"a":{"permissions":[{"any":true}],"principals":[{"any":true}]}}}`),
			request: "GET /", want: "403 rbac_access_denied_matched_policy[a]",
		},
		{
			name: "matcher",
			filters: rbacFilter(`"matcher":{"matcher_list":{"matchers":[{"predicate":{"single_predicate":{"input":{"name":"h","typed_config":{"@type":"type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput","header_name":":path"}},"value_match":{"prefix":"/no"}}},
				"on_match":{"action":{"name":"a","typed_config":{"@type":"type.googleapis.com/envoy.config.rbac.v3.Action","name":"no","action":"DENY"}}}}]},
				"on_no_match":{"action":{"name":"a","typed_config":{"@type":"type.googleapis.com/envoy.config.rbac.v3.Action","name":"rest"}}}}`),
			request: "GET /nothing", want: "403 rbac_access_denied_matched_policy[no]",
		},
		{name: "empty matcher", filters: rbacFilter(`"matcher":{}`), request: "GET /", want: denied},
	})
}
