package trace

import (
	"encoding/json"
	"strconv"
)

func itoa(n int) string { return strconv.Itoa(n) }

// unreadable is the result of a filter whose configuration is none that it
// could have.
func unreadable(in *filterInput, err error) filterResult {
	return filterResult{State: opaque, Text: "the configuration of filter " + in.Name + " cannot be read: " + err.Error()}
}

// matchRouteOf says whether a route's match fits the call; none fits all.
func matchRouteOf(raw json.RawMessage, c *Call) Verdict {
	var m routeMatch
	if len(raw) == 0 {
		return yes()
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return maybe("a match that cannot be read here")
	}
	return m.match(c, false)
}
