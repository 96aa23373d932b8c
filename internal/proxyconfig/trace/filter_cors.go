package trace

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// corsPolicy is what a route says of requests from other origins.
type corsPolicy struct {
	Origins []stringMatcher  `json:"allow_origin_string_match"`
	Enabled *runtimeFraction `json:"filter_enabled"`
	Forward *bool            `json:"forward_not_matching_preflights"`
}

// httpCORS judges the filter: it answers preflights itself and lets the rest
// pass, and so all for routes that answer themselves.
func httpCORS(in *filterInput) filterResult {
	if len(in.Overrides) == 0 || in.Call.Route == nil || in.Call.Route.Answers || !isPreflight(in.Call) {
		return filterResult{State: passes}
	}
	var policy corsPolicy
	if err := json.Unmarshal(in.Overrides[0], &policy); err != nil {
		return unreadable(in, err)
	}
	share := policy.Enabled.percent(100)
	if share == 0 {
		return filterResult{State: passes}
	}
	origin, _, _ := in.Call.header("origin")
	allowed := slices.ContainsFunc(policy.Origins, func(m stringMatcher) bool { return m.match("", origin).Answer == Yes })
	if !allowed && (policy.Forward == nil || *policy.Forward) {
		return filterResult{State: passes, Text: "a CORS preflight from " + origin + ", which the policy does not allow: the server is to answer", Owner: in.routeOwner()}
	}
	text := "a CORS preflight from " + origin + ": the proxy answers it itself"
	if share < 100 {
		return filterResult{State: opaque, Text: text + " in " + percentText(share) + " of the cases", Owner: in.routeOwner()}
	}
	return filterResult{State: answers, Kind: DirectResponse, Status: 200, Detail: "cors_response", Text: text, Owner: in.routeOwner()}
}

// httpCSRF judges the filter that denies changes from other origins.
func httpCSRF(in *filterInput) filterResult {
	raw := in.Config
	if len(in.Overrides) > 0 {
		raw = in.Overrides[0]
	}
	var policy struct {
		Enabled *runtimeFraction `json:"filter_enabled"`
		More    []stringMatcher  `json:"additional_origins"`
	}
	if err := json.Unmarshal(raw, &policy); err != nil {
		return unreadable(in, err)
	}
	share := policy.Enabled.percent(100)
	if share == 0 || !slices.Contains([]string{"POST", "PUT", "DELETE", "PATCH"}, in.Call.Method) {
		return filterResult{State: passes}
	}
	source := sourceOrigin(in.Call)
	if source != "" && (source == in.Call.Authority ||
		slices.ContainsFunc(policy.More, func(m stringMatcher) bool { return m.match("", source).Answer == Yes })) {
		return filterResult{State: passes}
	}
	text := "denied: a change that another origin asks for"
	if source == "" {
		text = "denied: a change, and neither Origin nor Referer says where it comes from"
	}
	if share < 100 {
		return filterResult{State: opaque, Text: text + ", in " + percentText(share) + " of the cases"}
	}
	return filterResult{State: answers, Kind: Denied, Status: 403, Detail: "csrf_origin_mismatch", Text: text}
}

// sourceOrigin is the host and port of the page that the request comes from.
func sourceOrigin(c *Call) string {
	for _, name := range []string{"origin", "referer"} {
		value, present, _ := c.header(name)
		if !present || value == "" || value == "null" {
			continue
		}
		if u, err := url.Parse(value); err == nil && u.Host != "" {
			return u.Host
		}
		return strings.TrimSuffix(value, "/")
	}
	return ""
}
