package trace

import (
	"encoding/json"
	"strings"
)

// withMatcher judges a filter that a matcher chooses per request
// (ExtensionWithMatcher): the matcher may skip it, or, for the composite
// filter, name the filter to run.
func withMatcher(in *filterInput) filterResult {
	var config struct {
		Extension extension       `json:"extension_config"`
		Matcher   json.RawMessage `json:"xds_matcher"`
		Old       json.RawMessage `json:"matcher"`
	}
	if err := json.Unmarshal(in.Config, &config); err != nil {
		return unreadable(in, err)
	}
	raw := config.Matcher
	if len(in.Overrides) > 0 {
		if route := member(in.Overrides[0], "xds_matcher"); route != nil {
			raw = route
		}
	}
	if raw == nil && config.Old != nil {
		return filterResult{State: opaque, Text: "a matcher of an old form chooses what filter " + in.Name + " does"}
	}
	var found treeMatch
	if raw != nil {
		found = evalTree(raw, in.treeInput())
	}
	switch {
	case found.unsure != "":
		return filterResult{State: opaque, Text: "what filter " + in.Name + " does depends on " + found.unsure}
	case found.action == nil:
		return in.inner(&config.Extension)
	}
	switch kind := shortType(found.action.typeURL()); kind[strings.LastIndexByte(kind, '.')+1:] {
	case "SkipFilter":
		return filterResult{State: passes}
	case "ExecuteFilterAction":
		var action struct {
			Filter extension        `json:"typed_config"`
			Sample *runtimeFraction `json:"sample_percent"`
			Chain  json.RawMessage  `json:"filter_chain"`
			Dyn    json.RawMessage  `json:"dynamic_config"`
			Named  json.RawMessage  `json:"filter_chain_name"`
		}
		if err := json.Unmarshal(found.action.Config, &action); err != nil {
			return unreadable(in, err)
		}
		if action.Dyn != nil || action.Chain != nil || action.Named != nil || action.Sample.percent(100) < 100 {
			return filterResult{State: opaque, Text: "filter " + in.Name + " runs others that are not told here"}
		}
		return in.inner(&action.Filter)
	}
	return filterResult{State: opaque, Text: "the action of the matcher of filter " + in.Name + " is not known here"}
}

// inner judges the filter inside another one.
func (in *filterInput) inner(e *extension) filterResult {
	url := e.typeURL()
	if shortType(url) == "envoy.extensions.filters.http.composite.v3.Composite" {
		return filterResult{State: passes} // no action: it runs nothing
	}
	inside := *in
	inside.Type, inside.Config = shortType(url), e.Config
	judge := httpFilter(url)
	if judge == nil {
		return unknownFilter(&inside)
	}
	return judge(&inside)
}
