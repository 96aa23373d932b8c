package trace

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// runFilters runs the HTTP filters in order; again says that the route has to
// be looked for again.
func (h *httpWalk) runFilters() (again bool) {
	for i := range h.manager.Filters {
		e := &h.manager.Filters[i]
		config, known := h.config(e)
		overrides, off := h.overrides(e)
		if off {
			h.step(Step{Name: "filter " + shortFilter(e.Name), State: Note, Text: "it is switched off for this route"})
			continue
		}
		judge := httpFilter(typeURL(config))
		if !known || judge == nil {
			h.pass("filter "+shortFilter(e.Name), fmt.Sprintf("what the HTTP filter %s (%s) does", e.Name, orText(shortType(typeURL(config)), "not in the dump")))
			h.call.Unknown["*"] = "filter " + shortFilter(e.Name)
			continue
		}
		before := *h.call
		before.Headers = slices.Clone(h.call.Headers)
		before.Unknown = maps.Clone(h.call.Unknown)
		res := judge(&filterInput{Name: e.Name, Type: lastPart(typeURL(config)), Config: config, Overrides: overrides, Call: h.call, Conn: h.conn, Dump: h.dump})
		if res.State == ends {
			return again
		}
		if h.apply(e, res); h.ended {
			return again
		}
		again = again || res.Reroute
	}
	return again
}

// overrides are the filter's settings for the route, the most specific first;
// off says that they switch it off.
func (h *httpWalk) overrides(e *extension) (configs []json.RawMessage, off bool) {
	off = e.Disabled
	if h.call.Route == nil {
		return nil, off
	}
	levels := slices.Clone(h.call.Route.perFilter)
	slices.Reverse(levels)
	decided := false
	for _, level := range levels {
		config, ok := level[e.Name]
		if !ok {
			continue
		}
		if shortType(typeURL(config)) == "envoy.config.route.v3.FilterConfig" {
			if disabled := string(member(config, "disabled")) == "true"; !decided {
				off, decided = disabled, true
			}
			config = member(config, "config")
			if config == nil {
				continue
			}
		} else if !decided {
			off, decided = false, true // a setting for the route switches it on
		}
		configs = append(configs, config)
	}
	return configs, off
}
