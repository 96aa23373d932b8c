package trace

import (
	"encoding/json"
	"strings"
)

// filter judges one type of HTTP or network filter. It may change the call:
// headers, metadata, filter state.
type filter func(in *filterInput) filterResult

// filterInput is all that a filter may look at.
type filterInput struct {
	// Name is the filter's name in its chain, Type the last part of its
	// configuration's @type, such as RBAC.
	Name, Type string
	// Config is the filter's configuration.
	Config json.RawMessage
	// Overrides are the configurations for the chosen route, the most specific
	// first; most filters look at the first only.
	Overrides []json.RawMessage
	// Call is the request; nil in network filters before HTTP is read.
	Call *Call
	Conn *Connection
	Dump *Dump
}

// filterResult is what a filter does.
type filterResult struct {
	State filterState
	// Text says in one sentence what it did, as [Step.Text]; empty for a filter
	// that has nothing to say, which then gets no step.
	Text     string
	Owner    Resource
	Details  []string
	Rejected []Candidate
	// Status, Flags and Kind are of the answer when State is answers: RBAC has
	// 403 and UAEX is ext_authz's flag. Flags of a filter that passes are kept.
	Status int
	Flags  string
	Kind   Kind
	// Detail is the access log's response code details, such as
	// rbac_access_denied_matched_policy[none].
	Detail string
	// Location is of a redirect that the filter answers with.
	Location string
	// Reroute says that the filter clears the route: it is chosen again.
	Reroute bool
}

type filterState int

const (
	// passes lets the request through.
	passes filterState = iota
	// answers ends it: denied, or answered by the filter itself.
	answers
	// opaque cannot be decided; Text says why. The walk goes on as if it passed.
	opaque
	// ends hands the request to the router: it is the last filter.
	ends
)

// shortType is a type URL without its prefix.
func shortType(url string) string { return url[strings.LastIndexByte(url, '/')+1:] }
