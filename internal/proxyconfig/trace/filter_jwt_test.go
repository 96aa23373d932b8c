package trace

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuer makes tokens and the JWKS that verifies them.
type issuer struct {
	keys jose.JSONWebKeySet
	sign jose.Signer
}

func newIssuer(t *testing.T, alg jose.SignatureAlgorithm, key any, public any) *issuer {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{sign: signer, keys: jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "k1", Algorithm: string(alg), Use: "sig"}}}}
}

func (i *issuer) token(t *testing.T, payload map[string]any) string {
	t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := i.sign.Sign(text)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// jwks is the keys as a JSON string, as they stand in inline_string.
func (i *issuer) jwks(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(i.keys)
	if err != nil {
		t.Fatal(err)
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted)
}

func jwtFilterOf(jwks, requires string) string {
	return one("jwt_authn.v3.JwtAuthentication", `"bypass_cors_preflight":true,"providers":{
		"a":{"issuer":"https://a","audiences":["shop"],"payload_in_metadata":"payload","local_jwks":{"inline_string":`+jwks+`}},
		"b":{"issuer":"https://b","remote_jwks":{"http_uri":{"uri":"https://b/keys"}},"from_headers":[{"name":"x-b"}]}},
		"requirement_map":{"none":{}},
		"rules":[{"match":{"path":"/open"}},{"match":{"prefix":"/"},"requires":`+requires+`}]`)
}

// TestTokens judges real tokens, signed with keys whose public halves are in
// the configuration, as istiod puts them there.
func TestTokens(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, es := newIssuer(t, jose.RS256, rsaKey, &rsaKey.PublicKey), newIssuer(t, jose.ES256, ecKey, &ecKey.PublicKey)
	payload := func(changes map[string]any) map[string]any {
		p := map[string]any{"iss": "https://a", "sub": "me", "aud": "shop", "exp": time.Now().Add(time.Hour).Unix()}
		for k, v := range changes {
			p[k] = v
		}
		return p
	}
	bearer := func(i *issuer, changes map[string]any) []string {
		return []string{"authorization: Bearer " + i.token(t, payload(changes))}
	}
	const a = `{"provider_name":"a"}`
	const lenient = `{"requires_any":{"requirements":[{"provider_name":"a"},{"allow_missing":{}}]}}`
	need, optional, elliptic := jwtFilterOf(rs.jwks(t), a), jwtFilterOf(rs.jwks(t), lenient), jwtFilterOf(es.jwks(t), a)
	denied := func(status string) string { return "401 jwt_authn_access_denied{" + status + "}" }
	runFilterCases(t, []filterCase{
		{name: "RS256", filters: need, request: "GET /", headers: bearer(rs, nil), want: "passes", text: "the token of https://a is accepted"},
		{name: "ES256", filters: elliptic, request: "GET /", headers: bearer(es, nil), want: "passes"},
		{name: "another key of the same name", filters: elliptic, request: "GET /", headers: bearer(rs, nil), want: denied("Jwks_doesn't_have_key_to_match_kid_or_alg_from_Jwt")},
		{name: "changed", filters: need, request: "GET /", headers: []string{bearer(rs, nil)[0][:len(bearer(rs, nil)[0])-8] + "AAAAAAAA"}, want: denied("Jwt_verification_fails")},
		{name: "missing", filters: need, request: "GET /", want: denied("Jwt_is_missing"), text: "there was no token"},
		{name: "missing and optional", filters: optional, request: "GET /", want: "passes"},
		{name: "optional and wrong", filters: optional, request: "GET /", headers: bearer(rs, map[string]any{"iss": "https://c"}), want: denied("Jwt_issuer_is_not_configured")},
		{name: "in the query", filters: need, request: "GET /?access_token=" + rs.token(t, payload(nil)), want: "passes"},
		{name: "expired", filters: need, request: "GET /", headers: bearer(rs, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), want: denied("Jwt_is_expired")},
		{name: "within the skew", filters: need, request: "GET /", headers: bearer(rs, map[string]any{"exp": time.Now().Add(-30 * time.Second).Unix()}), want: "passes"},
		{name: "not yet", filters: need, request: "GET /", headers: bearer(rs, map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), want: denied("Jwt_not_yet_valid")},
		{name: "audience", filters: need, request: "GET /", headers: bearer(rs, map[string]any{"aud": []string{"x", "y"}}), want: "403 jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}"},
		{name: "one audience of several", filters: need, request: "GET /", headers: bearer(rs, map[string]any{"aud": []string{"x", "shop"}}), want: "passes"},
		{name: "no Base64", filters: need, request: "GET /", headers: []string{"authorization: Bearer a.b.c"}, want: denied("Jwt_header_is_an_invalid_Base64url_encoded")},
		{name: "no JSON", filters: need, request: "GET /", headers: []string{"authorization: Bearer abc.def.ghi"}, want: denied("Jwt_header_is_an_invalid_JSON")},
		{name: "a path without a rule's need", filters: need, request: "GET /open", want: "passes"},
		{name: "preflight", filters: need, request: "OPTIONS /", headers: []string{"origin: x", "access-control-request-method: GET"}, want: "passes"},
		{name: "off for the route", filters: need, route: onRoute(`{"disabled":true}`), request: "GET /", want: "passes"},
		{name: "another need of the route", filters: need, route: onRoute(`{"requirement_name":"none"}`), request: "GET /", want: "passes"},
		{name: "keys that are elsewhere", filters: jwtFilterOf(rs.jwks(t), `{"provider_name":"b"}`), request: "GET /", headers: []string{"x-b: " + rs.token(t, payload(map[string]any{"iss": "https://b"}))}, want: "opaque", text: "https://b/keys"},
		{name: "one of two", filters: jwtFilterOf(rs.jwks(t), `{"requires_any":{"requirements":[{"provider_name":"b"},{"provider_name":"a"}]}}`), request: "GET /", headers: bearer(rs, nil), want: "passes"},
		{name: "both", filters: jwtFilterOf(rs.jwks(t), `{"requires_all":{"requirements":[{"provider_name":"b"},{"provider_name":"a"}]}}`), request: "GET /", headers: bearer(rs, nil), want: denied("Jwt_is_missing")},
		{name: "may fail", filters: jwtFilterOf(rs.jwks(t), `{"requires_any":{"requirements":[{"provider_name":"a"},{"allow_missing_or_failed":{}}]}}`), request: "GET /", headers: []string{"authorization: Bearer nonsense"}, want: "passes"},
		{name: "other audiences", filters: jwtFilterOf(rs.jwks(t), `{"provider_and_audiences":{"provider_name":"a","audiences":["x"]}}`), request: "GET /", headers: bearer(rs, map[string]any{"aud": "x"}), want: "passes"},
	})
}

// FuzzFilters gives every filter any configuration: none may panic, and what
// cannot be read decides nothing.
func FuzzFilters(f *testing.F) {
	kinds := []string{
		"rbac.v3.RBAC", "jwt_authn.v3.JwtAuthentication", "fault.v3.HTTPFault", "cors.v3.Cors", "csrf.v3.CsrfPolicy",
		"ext_authz.v3.ExtAuthz", "ratelimit.v3.RateLimit", "local_ratelimit.v3.LocalRateLimit", "lua.v3.Lua", "wasm.v3.Wasm",
		"oauth2.v3.OAuth2", "header_mutation.v3.HeaderMutation", "set_metadata.v3.Config", "header_to_metadata.v3.Config", "health_check.v3.HealthCheck",
	}
	f.Add(0, `{"rules":{"policies":{"p":{"permissions":[{"or_rules":{"rules":[{"url_path":{}},{"metadata":{"value":{"or_match":{"value_matchers":[null]}}}}]}}],"principals":[{"authenticated":{}},{"not_id":{}}]}}}}`)
	f.Add(1, `{"rules":[{"match":{"prefix":"/"},"requires":{"requires_any":{"requirements":[{"provider_name":"x"},{"allow_missing":{}}]}}}],"providers":{"x":null}}`)
	f.Add(2, `{"abort":{"header_abort":{}},"delay":{}}`)
	f.Add(11, `{"mutations":{"request_mutations":[{"append":{}},{"remove":"x"}]}}`)
	f.Fuzz(func(t *testing.T, kind int, config string) {
		if !json.Valid([]byte(config)) {
			return
		}
		conn := meshConn(frontend)
		c := filterCase{request: "GET /a?b=c", headers: []string{"authorization: Bearer a.b.c"}}
		judge := httpFilter("envoy.extensions.filters.http." + kinds[uint(kind)%uint(len(kinds))])
		judge(&filterInput{Name: "f", Config: json.RawMessage(config), Call: c.call(t, &conn), Conn: &conn})
		judge(&filterInput{Name: "f", Config: json.RawMessage(`{}`), Overrides: []json.RawMessage{json.RawMessage(config)}, Call: c.call(t, &conn), Conn: &conn})
	})
}
