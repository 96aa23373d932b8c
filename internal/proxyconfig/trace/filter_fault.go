package trace

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// faultConfig is Envoy's fault injection filter.
type faultConfig struct {
	Delay *struct {
		Fixed      string          `json:"fixed_delay"`
		Header     json.RawMessage `json:"header_delay"`
		Percentage *fraction       `json:"percentage"`
	} `json:"delay"`
	Abort *struct {
		Status     int             `json:"http_status"`
		GRPC       *int            `json:"grpc_status"`
		Header     json.RawMessage `json:"header_abort"`
		Percentage *fraction       `json:"percentage"`
	} `json:"abort"`
	Cluster string          `json:"upstream_cluster"`
	Headers []headerMatcher `json:"headers"`
	Nodes   []string        `json:"downstream_nodes"`
}

// sharePercent is a share that may not be there: that is none.
func sharePercent(f *fraction) float64 {
	if f == nil {
		return 0
	}
	return min(f.percent(), 100)
}

func percentText(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) + " %" }

// runtimeFraction is a percentage that the runtime may change; none is all.
type runtimeFraction struct {
	Default *fraction `json:"default_value"`
}

// percent is the default; fallback stands for a field that is not there.
func (f *runtimeFraction) percent(fallback float64) float64 {
	if f == nil {
		return fallback
	}
	return sharePercent(f.Default)
}

// httpFault judges the filter. Only a share of 0 or 100 % can be decided.
func httpFault(in *filterInput) filterResult {
	raw := in.Config
	if len(in.Overrides) > 0 {
		raw = in.Overrides[0]
	}
	var config faultConfig
	if err := json.Unmarshal(raw, &config); err != nil {
		return unreadable(in, err)
	}
	if config.Delay == nil && config.Abort == nil {
		return filterResult{State: passes}
	}
	owner := in.routeOwner()
	v := config.applies(in)
	if v.Answer == No {
		return filterResult{State: passes, Text: "no fault: " + v.Why, Owner: owner}
	}
	r := filterResult{State: passes, Owner: owner}
	if d := config.delayText(in.Call); d != "" {
		r.Details = append(r.Details, d)
		r.Text = d
		if f := config.Delay; v.Answer == Yes && f.Header == nil && sharePercent(f.Percentage) == 100 {
			r.Flags = "DI"
		}
	}
	return config.abort(in, v, r)
}

// applies says whether the request is one that the fault is for.
func (f *faultConfig) applies(in *filterInput) Verdict {
	v := matchHeaders(f.Headers, in.Call)
	if v.Answer == No {
		return v
	}
	if f.Cluster != "" {
		return all(v, maybe("the fault is for cluster "+f.Cluster))
	}
	if len(f.Nodes) > 0 {
		node, _, _ := in.Call.header("x-envoy-downstream-service-node")
		for _, n := range f.Nodes {
			if n == node {
				return v
			}
		}
		return no("the fault is for other callers")
	}
	return v
}

func (f *faultConfig) delayText(c *Call) string {
	if f.Delay == nil {
		return ""
	}
	share := sharePercent(f.Delay.Percentage)
	if f.Delay.Header != nil {
		value, present, _ := c.header("x-envoy-fault-delay-request")
		if !present {
			return ""
		}
		return "held back for " + value + " ms, as a header asks"
	}
	switch share {
	case 0:
		return ""
	case 100:
		return "held back for " + f.Delay.Fixed + " by a fault (flag DI)"
	}
	return fmt.Sprintf("%s of the requests are held back for %s by a fault (flag DI)", percentText(share), f.Delay.Fixed)
}

func (f *faultConfig) abort(in *filterInput, applies Verdict, r filterResult) filterResult {
	if f.Abort == nil || sharePercent(f.Abort.Percentage) == 0 {
		return r
	}
	status, said := f.Abort.Status, ""
	switch {
	case f.Abort.Header != nil:
		value, present, _ := in.Call.header("x-envoy-fault-abort-request")
		if !present {
			return r
		}
		status, _ = strconv.Atoi(value)
	case f.Abort.GRPC != nil:
		status, said = 200, fmt.Sprintf(" and gRPC status %d", *f.Abort.GRPC)
	}
	answer := fmt.Sprintf("answered with %d%s by a fault", status, said)
	share := sharePercent(f.Abort.Percentage)
	switch {
	case applies.Answer == Maybe:
		r.State, r.Text = opaque, answer+" if the fault is for this request: "+applies.Why
	case share < 100:
		r.State, r.Text = opaque, fmt.Sprintf("%s of the requests are %s (flag FI)", percentText(share), answer)
	default:
		r.State, r.Text, r.Status, r.Kind = answers, answer, status, DirectResponse
		r.Flags, r.Detail = "FI", "fault_filter_abort"
		if f.Delay != nil && sharePercent(f.Delay.Percentage) == 100 {
			r.Flags = "DI,FI"
		}
	}
	return r
}

// routeOwner is the object that the chosen route is from.
func (in *filterInput) routeOwner() Resource {
	if in.Call == nil || in.Call.Route == nil {
		return Resource{}
	}
	return in.Call.Route.Owner
}
