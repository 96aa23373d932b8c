package trace

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// jwtProvider is an issuer: where its tokens are looked for, and its keys.
type jwtProvider struct {
	Issuer        string         `json:"issuer"`
	Audiences     []string       `json:"audiences"`
	Subjects      *stringMatcher `json:"subjects"`
	RequireExpiry bool           `json:"require_expiration"`
	ClockSkew     *int64         `json:"clock_skew_seconds"`
	Local         *struct {
		Text string `json:"inline_string"`
		Raw  []byte `json:"inline_bytes"`
	} `json:"local_jwks"`
	Remote *struct {
		URI struct {
			URI string `json:"uri"`
		} `json:"http_uri"`
	} `json:"remote_jwks"`
	FromHeaders       []jwtHeader `json:"from_headers"`
	FromParams        []string    `json:"from_params"`
	FromCookies       []string    `json:"from_cookies"`
	Forward           bool        `json:"forward"`
	PayloadInMetadata string      `json:"payload_in_metadata"`
	PayloadHeader     string      `json:"forward_payload_header"`
	ClearRoute        bool        `json:"clear_route_cache"`
	ClaimToHeaders    []struct {
		Header string `json:"header_name"`
		Claim  string `json:"claim_name"`
	} `json:"claim_to_headers"`
	Normalize struct {
		SpaceDelimited []string `json:"space_delimited_claims"`
	} `json:"normalize_payload_in_metadata"`
}

type jwtHeader struct {
	Name   string `json:"name"`
	Prefix string `json:"value_prefix"`
}

// Envoy's words for what is wrong with a token.
const (
	jwtBadForm       = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
	jwtUnknownIssuer = "Jwt issuer is not configured"
	jwtExpired       = "Jwt is expired"
	jwtNotYet        = "Jwt not yet valid"
	jwtWrongAudience = "Audiences in Jwt are not allowed"
	jwtWrongSubject  = "Jwt subject is not allowed"
	jwtNoKey         = "Jwks doesn't have key to match kid or alg from Jwt"
	jwtBadSignature  = "Jwt verification fails"
)

// headers are where the provider looks for tokens; with no place of its own
// that is the Authorization header, and the parameter access_token.
func (p *jwtProvider) headers() []jwtHeader {
	if len(p.FromHeaders)+len(p.FromParams)+len(p.FromCookies) == 0 {
		return []jwtHeader{{Name: "authorization", Prefix: "Bearer "}}
	}
	return p.FromHeaders
}

// tokens are the request's tokens for the provider; unsure says why there may be others.
func (p *jwtProvider) tokens(c *Call) (tokens []string, unsure string) {
	headers := slices.SortedFunc(slices.Values(p.headers()), func(a, b jwtHeader) int { // as Envoy keeps them
		return strings.Compare(strings.ToLower(a.Name)+a.Prefix, strings.ToLower(b.Name)+b.Prefix)
	})
	for _, h := range headers {
		value, present, unknown := c.header(strings.ToLower(h.Name))
		if unknown != "" {
			return nil, "header " + strings.ToLower(h.Name) + " may have been set by " + unknown
		}
		_, rest, ok := strings.Cut(value, h.Prefix)
		if h.Prefix != "" {
			rest = tokenAtStart(rest)
		}
		if present && ok {
			tokens = append(tokens, rest)
		}
	}
	params := p.FromParams
	if len(p.FromHeaders)+len(p.FromParams)+len(p.FromCookies) == 0 {
		params = []string{"access_token"}
	}
	for _, name := range slices.Sorted(slices.Values(params)) {
		if value, present := queryValue(c.Path, name); present {
			tokens = append(tokens, value)
		}
	}
	for _, name := range slices.Sorted(slices.Values(p.FromCookies)) {
		if value := cookieValue(c, name); value != "" {
			tokens = append(tokens, value)
		}
	}
	return tokens, ""
}

// tokenAtStart ends at the first character that no token has.
func tokenAtStart(s string) string {
	end := strings.IndexFunc(s, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && r != '=' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if end >= 0 {
		return s[:end]
	}
	return s
}

func cookieValue(c *Call, name string) string {
	all, _, _ := c.header("cookie")
	for pair := range strings.SplitSeq(all, ";") {
		if key, value, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && key == name {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}

// verify judges the request's tokens: every one found must be good. Envoy
// begins with the last place.
func (p *jwtProvider) verify(in *filterInput, audiences []string) jwtOutcome {
	if known := in.Call.Request.Claims; known != nil {
		return p.verifyClaims(claims(known), audiences)
	}
	tokens, unsure := p.tokens(in.Call)
	if unsure != "" {
		return jwtOutcome{state: jwtUnsure, status: unsure}
	}
	var out jwtOutcome
	for _, token := range slices.Backward(tokens) {
		if out = p.verifyToken(token, audiences, time.Now()); out.state != jwtFine {
			return out
		}
	}
	return out
}

// verifyClaims judges a token that is said to be good but for whom it is for.
func (p *jwtProvider) verifyClaims(known claims, audiences []string) jwtOutcome {
	if iss, ok := known["iss"]; ok && p.Issuer != "" && !slices.Contains(iss, p.Issuer) {
		return jwtOutcome{state: jwtWrong, status: jwtUnknownIssuer}
	}
	if aud, ok := known["aud"]; ok && !allowedAudience(audiences, aud) {
		return jwtOutcome{state: jwtWrong, status: jwtWrongAudience}
	}
	whole := claims{"iss": {p.Issuer}}
	for name, values := range known {
		whole[name] = values
	}
	return jwtOutcome{state: jwtFine, provider: p, payload: whole}
}

func allowedAudience(allowed, has []string) bool {
	bare := func(s string) string { // Envoy takes scheme and last slash for noise
		for _, scheme := range []string{"http://", "https://"} {
			s = strings.TrimPrefix(s, scheme)
		}
		return strings.TrimSuffix(s, "/")
	}
	return len(allowed) == 0 || slices.ContainsFunc(has, func(h string) bool {
		return slices.ContainsFunc(allowed, func(a string) bool { return bare(a) == bare(h) })
	})
}

// verifyToken judges a token in Envoy's order: form, issuer, subject, time,
// audience, signature.
func (p *jwtProvider) verifyToken(token string, audiences []string, now time.Time) jwtOutcome {
	wrong := func(status string) jwtOutcome { return jwtOutcome{state: jwtWrong, status: status} }
	parts := strings.FieldsFunc(token, func(r rune) bool { return r == '.' })
	if len(parts) != 3 {
		return wrong(jwtBadForm)
	}
	var header struct {
		Alg string `json:"alg"`
	}
	if bad := decodePart(parts[0], &header, "header"); bad != "" {
		return wrong(bad)
	}
	var payload map[string]any
	if bad := decodePart(parts[1], &payload, "payload"); bad != "" {
		return wrong(bad)
	}
	if status := p.check(payload, audiences, now); status != "" {
		return wrong(status)
	}
	for _, name := range p.Normalize.SpaceDelimited {
		if text, ok := payload[name].(string); ok {
			payload[name] = anyList(strings.Fields(text))
		}
	}
	out := p.checkSignature(token, header.Alg)
	out.provider, out.payload = p, payload
	return out
}

// decodePart reads a part of a token; what it returns is Envoy's word for what is wrong.
func decodePart(part string, into any, name string) string {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	if err != nil {
		return "Jwt " + name + " is an invalid Base64url encoded"
	}
	if json.Unmarshal(text, into) != nil {
		return "Jwt " + name + " is an invalid JSON"
	}
	return ""
}

// check judges the claims; "" is good.
func (p *jwtProvider) check(payload map[string]any, audiences []string, now time.Time) string {
	if iss, _ := payload["iss"].(string); p.Issuer != "" && iss != p.Issuer {
		return jwtUnknownIssuer
	}
	if sub, _ := payload["sub"].(string); p.Subjects != nil && p.Subjects.match("", sub).Answer != Yes {
		return jwtWrongSubject
	}
	skew := 60.0
	if p.ClockSkew != nil && *p.ClockSkew > 0 {
		skew = float64(*p.ClockSkew)
	}
	seconds := float64(now.Unix())
	if nbf, ok := payload["nbf"].(float64); ok && nbf > seconds+skew {
		return jwtNotYet
	}
	if exp, ok := payload["exp"].(float64); ok && exp != 0 && exp+skew < seconds {
		return jwtExpired
	}
	var has []string
	switch aud := payload["aud"].(type) {
	case string:
		has = []string{aud}
	case []any:
		for _, one := range aud {
			if s, ok := one.(string); ok {
				has = append(has, s)
			}
		}
	}
	if !allowedAudience(audiences, has) {
		return jwtWrongAudience
	}
	return ""
}

// checkSignature verifies with the keys in the configuration: istiod fetches
// those of a jwksUri and puts them there.
func (p *jwtProvider) checkSignature(token, alg string) jwtOutcome {
	unsure := func(why string) jwtOutcome {
		return jwtOutcome{state: jwtUnsure, status: "whether the token's signature is right cannot be told: " + why + "; --jwt-claim takes a token as good"}
	}
	if p.Local == nil || p.Local.Text == "" && len(p.Local.Raw) == 0 {
		if p.Remote != nil {
			return unsure("the proxy fetches the keys from " + p.Remote.URI.URI)
		}
		return unsure("its keys are not in the configuration")
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(append([]byte(p.Local.Text), p.Local.Raw...), &keys); err != nil {
		return unsure("the keys in the configuration cannot be read")
	}
	parsed, err := jose.ParseSigned(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		return unsure("its algorithm is not known here")
	}
	kid := parsed.Signatures[0].Header.KeyID
	tried := false
	for _, key := range keys.Keys {
		if kid != "" && key.KeyID != "" && key.KeyID != kid || key.Algorithm != "" && key.Algorithm != alg {
			continue
		}
		tried = true
		if _, err := parsed.Verify(key.Key); err == nil {
			return jwtOutcome{state: jwtFine}
		}
	}
	if tried {
		return jwtOutcome{state: jwtWrong, status: jwtBadSignature}
	}
	return jwtOutcome{state: jwtWrong, status: jwtNoKey}
}

// claims are a token's claims as the user names them: a nested one by its
// path with dots.
type claims map[string][]string

// claimValues are a claim of which only the values are known, not whether it
// is a list.
type claimValues []string

// find is the claim at a path.
func (c claims) find(path []string) (value any, present bool) {
	values, ok := c[strings.Join(path, ".")]
	return claimValues(values), ok
}

// claimAt is the claim at a path of either form of a payload.
func claimAt(payload any, path []string) (value any, present bool) {
	if known, ok := payload.(claims); ok {
		return known.find(path)
	}
	value, present = payload, true
	for _, key := range path {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		value, present = object[key]
	}
	return value, present
}

func anyList(values []string) []any {
	list := make([]any, len(values))
	for i, v := range values {
		list[i] = v
	}
	return list
}
