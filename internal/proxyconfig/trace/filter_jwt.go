package trace

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// jwtConfig is Envoy's JWT authentication filter.
type jwtConfig struct {
	Providers  map[string]*jwtProvider    `json:"providers"`
	Rules      []jwtRule                  `json:"rules"`
	Named      map[string]*jwtRequirement `json:"requirement_map"`
	ByState    json.RawMessage            `json:"filter_state_rules"`
	BypassCORS bool                       `json:"bypass_cors_preflight"`
}

type jwtRule struct {
	Match    json.RawMessage `json:"match"`
	Requires *jwtRequirement `json:"requires"`
	Name     string          `json:"requirement_name"`
}

// jwtRequirement says which tokens a request must have; none of its members
// is no requirement.
type jwtRequirement struct {
	Provider          string           `json:"provider_name"`
	WithAudiences     *jwtAudiences    `json:"provider_and_audiences"`
	Any               *jwtRequirements `json:"requires_any"`
	All               *jwtRequirements `json:"requires_all"`
	MissingOrFailed   *struct{}        `json:"allow_missing_or_failed"`
	Missing           *struct{}        `json:"allow_missing"`
	WithoutValidation json.RawMessage  `json:"extract_only_without_validation"`
}

type jwtRequirements struct {
	Requirements []jwtRequirement `json:"requirements"`
}

type jwtAudiences struct {
	Provider  string   `json:"provider_name"`
	Audiences []string `json:"audiences"`
}

// jwtOutcome is how a requirement came out. Its zero value is a token that is
// missing, as Envoy's own status says.
type jwtOutcome struct {
	state jwtState
	// status is Envoy's text for what is wrong, of a failure; of one that
	// cannot be told, what would have to be known.
	status string
	// provider and payload are of a token that was taken.
	provider *jwtProvider
	payload  any
}

type jwtState int

const (
	jwtMissing jwtState = iota
	jwtFine
	jwtWrong
	jwtUnsure
)

const jwtIsMissing = "Jwt is missing"

// httpJWT judges the filter: the first rule for the path says what the request needs.
func httpJWT(in *filterInput) filterResult {
	var config jwtConfig
	if err := json.Unmarshal(in.Config, &config); err != nil {
		return unreadable(in, err)
	}
	if config.BypassCORS && isPreflight(in.Call) {
		return filterResult{State: passes, Text: "a CORS preflight needs no token"}
	}
	need, result := config.requirement(in)
	switch {
	case result.Text != "":
		return result
	case need == nil:
		return filterResult{State: passes}
	}
	v := jwtVerifier{config: &config, in: in}
	return v.result(v.judge(need))
}

// requirement is what the request needs, by the route's own configuration or
// by the first rule that matches; nil is nothing.
func (c *jwtConfig) requirement(in *filterInput) (*jwtRequirement, filterResult) {
	if len(in.Overrides) > 0 {
		var route struct {
			Disabled bool   `json:"disabled"`
			Name     string `json:"requirement_name"`
		}
		if err := json.Unmarshal(in.Overrides[0], &route); err != nil {
			return nil, unreadable(in, err)
		}
		if route.Disabled {
			return nil, filterResult{State: passes, Text: "tokens are not looked at on this route"}
		}
		return c.Named[route.Name], filterResult{}
	}
	for i := range c.Rules {
		rule := &c.Rules[i]
		switch v := matchRouteOf(rule.Match, in.Call); v.Answer {
		case Maybe:
			return nil, filterResult{State: opaque, Text: "which rule for tokens counts depends: " + v.Why}
		case Yes:
			if rule.Name != "" {
				return c.Named[rule.Name], filterResult{}
			}
			return rule.Requires, filterResult{}
		}
	}
	if len(c.ByState) > 0 && string(c.ByState) != "null" {
		return nil, filterResult{State: opaque, Text: "which token is needed is decided by filter state"}
	}
	return nil, filterResult{}
}

// jwtVerifier judges requirements for one request.
type jwtVerifier struct {
	config *jwtConfig
	in     *filterInput
}

func (v *jwtVerifier) judge(need *jwtRequirement) jwtOutcome {
	switch {
	case need.Provider != "":
		return v.provider(need.Provider, nil)
	case need.WithAudiences != nil:
		return v.provider(need.WithAudiences.Provider, need.WithAudiences.Audiences)
	case need.Any != nil:
		return v.any(need.Any.Requirements)
	case need.All != nil:
		return v.all(need.All.Requirements)
	case need.MissingOrFailed != nil, need.Missing != nil:
		return v.lenient(need, v.names())
	case len(need.WithoutValidation) > 0:
		return jwtOutcome{state: jwtFine}
	}
	return jwtOutcome{state: jwtFine}
}

func (v *jwtVerifier) names() []string {
	var names []string
	for name := range v.config.Providers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (v *jwtVerifier) provider(name string, audiences []string) jwtOutcome {
	p := v.config.Providers[name]
	if p == nil {
		return jwtOutcome{state: jwtUnsure, status: "there is no provider " + name}
	}
	if audiences == nil {
		audiences = p.Audiences
	}
	return p.verify(v.in, audiences)
}

// any is fine when one requirement is. That tokens may be missing counts for
// the places where the requirements beside it look.
func (v *jwtVerifier) any(needs []jwtRequirement) jwtOutcome {
	var last jwtOutcome
	var bypass *jwtRequirement
	var used []string
	for i := range needs {
		need := &needs[i]
		if need.Missing != nil || need.MissingOrFailed != nil {
			if bypass == nil || need.MissingOrFailed != nil {
				bypass = need
			}
			continue
		}
		if name := need.Provider; name != "" {
			used = append(used, name)
		} else if need.WithAudiences != nil {
			used = append(used, need.WithAudiences.Provider)
		}
		out := v.judge(need)
		if out.state == jwtFine {
			return out
		}
		last = worse(last, out)
	}
	if bypass == nil || last.state == jwtUnsure && bypass.MissingOrFailed == nil {
		return last
	}
	if len(used) == 0 {
		used = v.names()
	}
	if out := v.lenient(bypass, used); out.state == jwtFine {
		return out
	}
	return last
}

// worse is the outcome that says more: a failure of a token says more than
// that there is none, or one of another issuer.
func worse(a, b jwtOutcome) jwtOutcome {
	weight := func(o jwtOutcome) int {
		switch {
		case o.state == jwtUnsure:
			return 3
		case o.state == jwtWrong && o.status != jwtUnknownIssuer:
			return 2
		case o.state == jwtWrong:
			return 1
		}
		return 0
	}
	if weight(b) >= weight(a) {
		return b
	}
	return a
}

func (v *jwtVerifier) all(needs []jwtRequirement) jwtOutcome {
	fine := jwtOutcome{state: jwtFine}
	var unsure *jwtOutcome
	for i := range needs {
		out := v.judge(&needs[i])
		switch {
		case out.state == jwtUnsure:
			unsure = &out
		case out.state != jwtFine:
			return out
		case out.payload != nil:
			fine = out
			v.leave(out)
		}
	}
	if unsure != nil {
		return *unsure
	}
	return fine
}

// lenient takes a request without a token at the places where the providers
// look, and, if it may have failed, with any token.
func (v *jwtVerifier) lenient(need *jwtRequirement, names []string) jwtOutcome {
	var last jwtOutcome
	for _, name := range names {
		out := v.provider(name, nil)
		if out.state == jwtFine {
			return out
		}
		last = worse(last, out)
	}
	if last.state == jwtMissing || need.MissingOrFailed != nil && last.state != jwtUnsure {
		return jwtOutcome{state: jwtFine}
	}
	return last
}

// result is what the filter does with the outcome.
func (v *jwtVerifier) result(out jwtOutcome) filterResult {
	switch out.state {
	case jwtFine:
		v.leave(out)
		if out.provider == nil {
			return filterResult{State: passes, Text: "it has no token, and needs none here"}
		}
		return filterResult{State: passes, Text: "the token of " + out.provider.Issuer + " is accepted", Reroute: out.provider.ClearRoute}
	case jwtUnsure:
		v.leave(out)
		return filterResult{State: opaque, Text: out.status}
	case jwtMissing:
		out.status = jwtIsMissing
	}
	r := filterResult{
		State: answers, Kind: Denied, Status: 401,
		Text:   "denied: " + jwtSays(out.status),
		Detail: "jwt_authn_access_denied{" + strings.ReplaceAll(out.status, " ", "_") + "}",
	}
	if out.status == jwtWrongAudience {
		r.Status = 403
	}
	return r
}

// jwtSays is Envoy's status in the words of the explanation, where there is one.
func jwtSays(status string) string {
	said := strings.TrimSuffix(jwtPart(status), ".")
	if said == "" {
		return status
	}
	return strings.ToLower(said[:1]) + said[1:]
}

// leave hands the token's claims to later filters, and takes it from the
// request where the provider does not forward it.
func (v *jwtVerifier) leave(out jwtOutcome) {
	p := out.provider
	if p == nil || out.payload == nil {
		return
	}
	if p.PayloadInMetadata != "" {
		v.in.leave(jwtFilter, p.PayloadInMetadata, out.payload)
	}
	for _, h := range p.ClaimToHeaders {
		value, present := claimAt(out.payload, strings.Split(h.Claim, "."))
		if values, ok := value.(claimValues); ok && len(values) == 1 {
			value = values[0]
		}
		if text, ok := value.(string); ok && present {
			v.in.Call.Headers.Set(strings.ToLower(h.Header), text)
		} else if present {
			v.in.unknownHeader(h.Header)
		}
	}
	if p.PayloadHeader != "" {
		v.in.unknownHeader(p.PayloadHeader)
	}
	if p.Forward || out.state != jwtFine {
		return
	}
	for _, h := range p.headers() {
		v.in.Call.Headers.Remove(strings.ToLower(h.Name))
	}
}

// unknownHeader notes that the filter sets a header to something not known here.
func (in *filterInput) unknownHeader(name string) {
	if in.Call.Unknown == nil {
		in.Call.Unknown = map[string]string{}
	}
	in.Call.Unknown[strings.ToLower(name)] = fmt.Sprintf("filter %s", in.Name)
}

// isPreflight says whether the request is what browsers ask before a request
// to another origin.
func isPreflight(c *Call) bool {
	origin, _, _ := c.header("origin")
	asked, _, _ := c.header("access-control-request-method")
	return c.Method == "OPTIONS" && origin != "" && asked != ""
}
