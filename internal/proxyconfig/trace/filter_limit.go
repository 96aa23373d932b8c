package trace

import (
	"encoding/json"
	"fmt"
)

// httpRateLimit judges the filter that asks a rate limit service: only when
// the route, its virtual host or the filter itself has descriptors to ask about.
func httpRateLimit(in *filterInput) filterResult {
	type limits struct {
		Limits []json.RawMessage `json:"rate_limits"`
		Domain string            `json:"domain"`
	}
	var config, route limits
	if err := json.Unmarshal(in.Config, &config); err != nil {
		return unreadable(in, err)
	}
	if len(in.Overrides) > 0 {
		if err := json.Unmarshal(in.Overrides[0], &route); err != nil {
			return unreadable(in, err)
		}
	}
	n := len(config.Limits) + len(route.Limits)
	if in.Call.Route != nil {
		n += len(in.Call.Route.RateLimits)
	}
	if n == 0 {
		return filterResult{State: passes}
	}
	return filterResult{State: opaque, Text: fmt.Sprintf("a rate limit service is asked (domain %s), since the route has rate limits", config.Domain), Owner: in.routeOwner()}
}

// localLimit is a token bucket in the proxy.
type localLimit struct {
	Bucket *struct {
		Max      int    `json:"max_tokens"`
		Fill     *int   `json:"tokens_per_fill"`
		Interval string `json:"fill_interval"`
	} `json:"token_bucket"`
	Enabled     *runtimeFraction  `json:"filter_enabled"`
	Enforced    *runtimeFraction  `json:"filter_enforced"`
	Descriptors []json.RawMessage `json:"descriptors"`
}

// localRateLimit judges the local limit. How full the bucket is no
// configuration tells; a single request is taken to find a token in it, and
// the step says so.
func localRateLimit(in *filterInput) filterResult {
	raw := in.Config
	if len(in.Overrides) > 0 {
		raw = in.Overrides[0]
	}
	var config localLimit
	if err := json.Unmarshal(raw, &config); err != nil {
		return unreadable(in, err)
	}
	// In HTTP both shares are 0 unless they are set; the network filter has no
	// second one, and its first is 100.
	enabled, enforced := config.Enabled.percent(0), config.Enforced.percent(0)
	if in.Call == nil {
		enabled, enforced = config.Enabled.percent(100), 100
	}
	if enabled == 0 || enforced == 0 || config.Bucket == nil && len(config.Descriptors) == 0 {
		return filterResult{State: passes}
	}
	if config.Bucket != nil && config.Bucket.Max == 0 && len(config.Descriptors) == 0 && enabled == 100 && enforced == 100 && in.Call != nil {
		return filterResult{State: answers, Kind: Denied, Status: 429, Flags: "RL", Detail: "local_rate_limited", Text: "denied: the local rate limit is 0"}
	}
	text := "a local rate limit, taken as not reached"
	if b := config.Bucket; b != nil {
		fill := 1
		if b.Fill != nil {
			fill = *b.Fill
		}
		text = fmt.Sprintf("a local rate limit of %d, and %d more every %s, taken as not reached (else 429, flag RL)", b.Max, fill, b.Interval)
	}
	return filterResult{State: passes, Text: text}
}

// connectionLimit is like it for the number of connections.
func connectionLimit(in *filterInput) filterResult {
	limit := textOrNumber(member(in.Config, "max_connections"))
	return filterResult{State: passes, Text: "at most " + limit + " connections, taken as not reached"}
}

// textOrNumber is how protobuf writes 64-bit numbers.
func textOrNumber(raw json.RawMessage) string {
	if s := textOf(raw); s != "" {
		return s
	}
	return string(raw)
}
