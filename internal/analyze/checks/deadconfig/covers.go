package deadconfig

import (
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/mesh"
)

// earlier are the matches that come before, by what their path begins with, so
// that not all have to be compared with all.
type earlier struct {
	gateways []string
	byStart  map[string][]placed
}

// most is how many matches with one start of the path are compared.
const most = 64

// longest is how much of a path is looked at.
const longest = 256

func newEarlier(vs *networking.VirtualService) *earlier {
	gateways := vs.GetGateways()
	if len(gateways) == 0 {
		gateways = []string{mesh.MeshGateway}
	}
	return &earlier{gateways, map[string][]placed{}}
}

func (e *earlier) add(m placed) {
	start, ok := startOf(m.GetUri(), m.GetIgnoreUriCase())
	if ok && len(e.byStart[start]) < most {
		e.byStart[start] = append(e.byStart[start], m)
	}
}

// startOf is what every path that a match allows begins with; ok is false when
// the match is too involved to cover another.
func startOf(uri *networking.StringMatch, ignoreCase bool) (start string, ok bool) {
	k := read(uri)
	if k.kind == opaque {
		return "", false
	}
	if ignoreCase {
		return "", true
	}
	return k.text, true
}

// covering is an earlier match that allows all that m does.
func (e *earlier) covering(m *networking.HTTPMatchRequest) (placed, bool) {
	path := read(m.GetUri())
	if path.kind == opaque {
		path.text = ""
	}
	for n := range min(len(path.text), longest) + 1 {
		for _, first := range e.byStart[path.text[:n]] {
			if e.covers(first.HTTPMatchRequest, m) && !saidElsewhere(first.HTTPMatchRequest, m) {
				return first, true
			}
		}
	}
	return placed{}, false
}

// covers says whether a allows everything that b allows. When it cannot tell it
// says no.
func (e *earlier) covers(a, b *networking.HTTPMatchRequest) bool {
	switch {
	case !within(a.GetUri(), b.GetUri(), a.GetIgnoreUriCase(), b.GetIgnoreUriCase()),
		!within(a.GetScheme(), b.GetScheme(), false, false),
		!within(a.GetMethod(), b.GetMethod(), false, false),
		!within(a.GetAuthority(), b.GetAuthority(), false, false),
		a.GetPort() != 0 && a.GetPort() != b.GetPort(),
		a.GetSourceNamespace() != "" && a.GetSourceNamespace() != b.GetSourceNamespace(),
		!mesh.Subset(a.GetSourceLabels(), b.GetSourceLabels()),
		!e.gatewaysWithin(a.GetGateways(), b.GetGateways()):
		return false
	}
	return eachWithin(a.GetHeaders(), b.GetHeaders()) && eachWithin(a.GetQueryParams(), b.GetQueryParams()) &&
		sameValues(a.GetWithoutHeaders(), b.GetWithoutHeaders())
}

// gatewaysWithin says whether a is for all gateways that b is for.
func (e *earlier) gatewaysWithin(a, b []string) bool {
	if len(a) == 0 {
		return true
	}
	if len(b) == 0 {
		b = e.gateways
	}
	return !slices.ContainsFunc(b, func(g string) bool { return !slices.Contains(a, g) })
}

// eachWithin says whether all that a asks for, b asks for as well.
func eachWithin(a, b map[string]*networking.StringMatch) bool {
	for key, want := range a {
		// An empty match asks for the header to be there, as every other does.
		if other, ok := b[key]; !ok || !within(want, other, false, false) {
			return false
		}
	}
	return true
}

// sameValues says whether what a excludes is excluded by b in the same words.
func sameValues(a, b map[string]*networking.StringMatch) bool {
	for key, want := range a {
		if other, ok := b[key]; !ok || !proto.Equal(want, other) {
			return false
		}
	}
	return true
}

// saidElsewhere says whether istiod's validation compares the two itself: they
// differ in nothing but their paths' prefixes, or in nothing.
func saidElsewhere(a, b *networking.HTTPMatchRequest) bool {
	same := a.GetPort() == b.GetPort() && proto.Equal(a.GetMethod(), b.GetMethod()) && proto.Equal(a.GetAuthority(), b.GetAuthority()) &&
		maps.EqualFunc(a.GetHeaders(), b.GetHeaders(), equal) && maps.EqualFunc(a.GetQueryParams(), b.GetQueryParams(), equal) &&
		maps.EqualFunc(a.GetWithoutHeaders(), b.GetWithoutHeaders(), equal)
	first, later := a.GetUri().GetPrefix(), b.GetUri().GetPrefix()
	return same && first != "" && later != "" && first != later || proto.Equal(a, b)
}

func equal(a, b *networking.StringMatch) bool { return proto.Equal(a, b) }

// The kinds of string matches that can be compared.
type kind int

const (
	none   kind = iota // everything
	exact              // text alone
	prefix             // text and what may follow
	opaque             // a regular expression
)

type text struct {
	kind kind
	text string
}

// read is what a match means. A regular expression that is plain text followed
// by .* is a prefix.
func read(m *networking.StringMatch) text {
	switch t := m.GetMatchType().(type) {
	case *networking.StringMatch_Exact:
		return text{exact, t.Exact}
	case *networking.StringMatch_Prefix:
		return text{prefix, t.Prefix}
	case *networking.StringMatch_Regex:
		if start, found := strings.CutSuffix(t.Regex, ".*"); found && !strings.ContainsAny(start, `\.+*?()[]{}|^$`) {
			return text{prefix, start}
		}
		return text{opaque, t.Regex}
	}
	return text{}
}

// within says whether everything that b allows is allowed by a.
func within(a, b *networking.StringMatch, foldA, foldB bool) bool {
	x, y := read(a), read(b)
	if a.GetRegex() != "" {
		foldA = false // regular expressions keep to their letters
	}
	if foldA {
		x.text, y.text = strings.ToLower(x.text), strings.ToLower(y.text)
	}
	switch {
	case x.kind == none:
		return true
	case y.kind == none, foldB && !foldA:
		return false
	case x.kind == opaque:
		return y.kind == opaque && x.text == y.text
	case x.kind == exact:
		return y.kind == exact && x.text == y.text
	case y.kind == opaque:
		return false
	}
	return strings.HasPrefix(y.text, x.text)
}
