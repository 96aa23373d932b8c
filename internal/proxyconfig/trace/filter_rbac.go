package trace

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// rbacConfig is Envoy's RBAC filter, HTTP or network.
type rbacConfig struct {
	Rules         *rbacRules      `json:"rules"`
	Shadow        *rbacRules      `json:"shadow_rules"`
	Matcher       json.RawMessage `json:"matcher"`
	ShadowMatcher json.RawMessage `json:"shadow_matcher"`
	ShadowPrefix  string          `json:"shadow_rules_stat_prefix"`
}

type rbacRules struct {
	// Action is ALLOW when it is empty.
	Action   string                `json:"action"`
	Policies map[string]rbacPolicy `json:"policies"`
}

type rbacPolicy struct {
	Permissions []condition     `json:"permissions"`
	Principals  []condition     `json:"principals"`
	Condition   json.RawMessage `json:"condition"`
	Checked     json.RawMessage `json:"checked_condition"`
}

// rbacResult is what a set of rules says.
type rbacResult struct {
	// Allowed is Yes, No or Maybe.
	Allowed Answer
	// Key is the policy that matched, "" when none did.
	Key string
	// Why is of Maybe: what would decide it.
	Why      string
	rejected []Candidate
}

// httpRBAC judges the HTTP filter.
func httpRBAC(in *filterInput) filterResult {
	config := in.Config
	if len(in.Overrides) > 0 {
		config = member(in.Overrides[0], "rbac")
		if config == nil {
			return filterResult{State: passes, Text: "authorization is switched off for this route"}
		}
	}
	return judgeRBAC(in, config, "envoy.filters.http.rbac", func(r filterResult) filterResult {
		r.Status, r.Kind = 403, Denied
		return r
	})
}

// networkRBAC judges the network filter.
func networkRBAC(in *filterInput) filterResult {
	return judgeRBAC(in, in.Config, "envoy.filters.network.rbac", func(r filterResult) filterResult {
		r.Kind = Closed
		if r.Owner.Name != "" {
			r.Details = append(r.Details, "on a port without HTTP istiod leaves out a rule's conditions on HTTP, so that a DENY rule with no others denies every connection")
		}
		return r
	})
}

// judgeRBAC runs the rules; deny adds what a denial is like.
func judgeRBAC(in *filterInput, raw json.RawMessage, namespace string, deny func(filterResult) filterResult) filterResult {
	var config rbacConfig
	if err := json.Unmarshal(raw, &config); err != nil {
		return unreadable(in, err)
	}
	dry := in.shadow(&config, namespace)
	result, ok := rbacResult{}, true
	action := "ALLOW"
	switch {
	case config.Matcher != nil:
		result = in.rbacTree(config.Matcher)
	case config.Rules != nil:
		action = cmp.Or(config.Rules.Action, action)
		result = config.Rules.judge(in)
	default:
		ok = false
	}
	out := filterResult{State: passes}
	if ok {
		out = rbacAnswer(action, result, deny)
	}
	switch {
	case dry == "":
	case out.Text == "":
		out.Text = dry
	default:
		out.Details = append(out.Details, dry)
	}
	return out
}

// judge finds the first policy that matches, by name, as Envoy does.
func (r *rbacRules) judge(in *filterInput) rbacResult {
	var result rbacResult
	matched, unsureKey := "", ""
	for _, key := range slices.Sorted(maps.Keys(r.Policies)) {
		policy := r.Policies[key]
		v := policy.match(in)
		if v.Answer == Yes {
			matched = key
			break
		}
		result.rejected = append(result.rejected, Candidate{Name: policyName(key), Why: v.Why, Owner: policyOwner(key)})
		if v.Answer == Maybe && unsureKey == "" {
			unsureKey, result.Why = key, v.Why
		}
	}
	result.Key = matched
	switch {
	case r.Action == "LOG":
		result.Allowed = Yes
	case matched != "":
		result.Allowed = allowedIf(r.Action != "DENY") // whichever matches, the answer is the same
	case unsureKey != "":
		result.Allowed, result.Key = Maybe, unsureKey
	default:
		result.Allowed = allowedIf(r.Action == "DENY")
	}
	if matched != "" && unsureKey != "" && r.Action == "DENY" {
		result.Why = "" // denied in any case; which policy is named is open
	}
	return result
}

func allowedIf(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// match says whether a permission and a principal of the policy hold.
func (p *rbacPolicy) match(in *filterInput) Verdict {
	v := matchAny(p.Permissions, in)
	if len(p.Permissions) == 0 {
		v = no("the policy permits nothing")
	}
	if v.Answer == No {
		return v
	}
	who := matchAny(p.Principals, in)
	if len(p.Principals) == 0 {
		who = no("the policy is for nobody")
	}
	v = all(v, who)
	if v.Answer == Yes && (p.Condition != nil || p.Checked != nil) {
		return maybe("the policy has a CEL condition")
	}
	return v
}

// rbacAnswer is what the filter does with a result.
func rbacAnswer(action string, r rbacResult, deny func(filterResult) filterResult) filterResult {
	out := filterResult{State: passes, Owner: policyOwner(r.Key), Rejected: r.rejected}
	name := policyName(r.Key)
	switch {
	case action == "LOG":
		out.Rejected = nil
		if r.Key == "" {
			return filterResult{State: passes}
		}
		out.Text = "audited by " + name + "; it goes on"
	case r.Allowed == Maybe:
		out.State = opaque
		out.Text = map[bool]string{true: "denied", false: "allowed"}[action == "DENY"] + " if " + name + " matches, but " + r.Why
	case r.Allowed == No && r.Key == "":
		out.Text = "denied, since no ALLOW policy matches and there is one for this workload"
	case r.Allowed == No:
		out.Text = "denied by " + name
	case r.Key == "":
		out.Text = "no DENY policy matches"
	default:
		out.Text = "allowed by " + name
		out.Rejected = nil
	}
	if r.Allowed != No || action == "LOG" {
		return out
	}
	if r.Key != "" { // why the others did not match is beside the point
		out.Rejected = nil
	}
	out.State = answers
	out.Detail = "rbac_access_denied_matched_policy[" + strings.ReplaceAll(cmp.Or(r.Key, "none"), " ", "_") + "]"
	return deny(out)
}

// policyName is how people know a policy of the filter.
func policyName(key string) string {
	p, ok := parsePolicy(key)
	if !ok {
		return "policy " + key
	}
	return p.String() + " rule " + itoa(p.Rule)
}

func policyOwner(key string) Resource {
	p, ok := parsePolicy(key)
	if !ok {
		return Resource{}
	}
	return Resource{Kind: "AuthorizationPolicy", Name: p.Name, Namespace: p.Namespace}
}

// shadow judges the shadow rules, which decide nothing but leave their result
// in the metadata: of that, external authorization takes whether to ask. dry
// is what a dry run would deny, "" when there is none.
func (in *filterInput) shadow(config *rbacConfig, namespace string) (dry string) {
	var result rbacResult
	switch {
	case config.ShadowMatcher != nil:
		result = in.rbacTree(config.ShadowMatcher)
	case config.Shadow != nil:
		result = config.Shadow.judge(in)
	default:
		return ""
	}
	id, engine := config.ShadowPrefix+"shadow_effective_policy_id", config.ShadowPrefix+"shadow_engine_result"
	switch result.Allowed {
	case Maybe:
		in.leave(namespace, id, unknownValue("whether "+policyName(result.Key)+" matches: "+result.Why))
		in.leave(namespace, engine, unknownValue(result.Why))
		return ""
	case Yes:
		in.leave(namespace, engine, "allowed")
	default:
		in.leave(namespace, engine, "denied")
	}
	if result.Key != "" {
		in.leave(namespace, id, result.Key)
	}
	switch {
	case result.Allowed == Yes || !strings.HasPrefix(config.ShadowPrefix, "istio_dry_run"):
		return ""
	case result.Key == "":
		return "dry run: it would be denied, since no ALLOW policy matches"
	}
	return "dry run: " + policyName(result.Key) + " would deny it"
}

// leave puts a value into the metadata for later filters.
func (in *filterInput) leave(namespace, key string, value any) {
	metadata := &in.Conn.Metadata
	if in.Call != nil {
		metadata = &in.Call.Metadata
	}
	if *metadata == nil {
		*metadata = map[string]any{}
	}
	fields, ok := (*metadata)[namespace].(map[string]any)
	if !ok {
		fields = map[string]any{}
		(*metadata)[namespace] = fields
	}
	fields[key] = value
}
