package virtualservice

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/mesh"
)

// scope is the traffic of sidecars that a match is for. Zero values mean all.
type scope struct {
	port      uint32
	namespace string // of the caller
	labels    map[string]string
}

// meets says whether some traffic is in both.
func (s scope) meets(other scope) bool {
	if s.port != 0 && other.port != 0 && s.port != other.port {
		return false
	}
	if s.namespace != "" && other.namespace != "" && s.namespace != other.namespace {
		return false
	}
	_, ok := mesh.Merge(s.labels, other.labels)
	return ok
}

func overlap(a, b []scope) bool {
	for _, x := range a {
		if slices.ContainsFunc(b, x.meets) {
			return true
		}
	}
	return false
}

// forSidecars says whether a match that names gateways is for sidecars too.
func forSidecars(gateways []string) bool {
	return len(gateways) == 0 || slices.Contains(gateways, mesh.MeshGateway)
}

// httpScopes are the HTTP traffic that the routes are for. One route without
// match is for all of it.
func httpScopes(vs *networking.VirtualService) []scope {
	set := scopes{}
	for _, route := range vs.GetHttp() {
		if len(route.GetMatch()) == 0 {
			return []scope{{}}
		}
		for _, m := range route.GetMatch() {
			if forSidecars(m.GetGateways()) {
				set.add(scope{m.GetPort(), m.GetSourceNamespace(), m.GetSourceLabels()})
			}
		}
	}
	return set.list
}

// tcpScopes are the same of the TCP and TLS routes.
func tcpScopes(vs *networking.VirtualService) []scope {
	set := scopes{}
	for _, route := range vs.GetTls() {
		for _, m := range route.GetMatch() {
			if forSidecars(m.GetGateways()) {
				set.add(scope{m.GetPort(), m.GetSourceNamespace(), m.GetSourceLabels()})
			}
		}
	}
	for _, route := range vs.GetTcp() {
		if len(route.GetMatch()) == 0 {
			return []scope{{}}
		}
		for _, m := range route.GetMatch() {
			if forSidecars(m.GetGateways()) {
				set.add(scope{m.GetPort(), m.GetSourceNamespace(), m.GetSourceLabels()})
			}
		}
	}
	return set.list
}

// scopes collects scopes; those without labels only once, since a
// VirtualService may have hundreds of matches that differ in nothing but paths.
type scopes struct {
	list []scope
	seen map[scopeKey]bool
}

type scopeKey struct {
	port      uint32
	namespace string
}

func (s *scopes) add(new scope) {
	key := scopeKey{new.port, new.namespace}
	if len(new.labels) == 0 {
		if s.seen[key] {
			return
		}
		if s.seen == nil {
			s.seen = map[scopeKey]bool{}
		}
		s.seen[key] = true
	}
	s.list = append(s.list, new)
}
