package mesh

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
)

// Refusal is why no listener of a Gateway takes a route.
type Refusal int

// The refusals, in the order in which listeners are ruled out.
const (
	// Accepted is none: some listener takes the route.
	Accepted Refusal = iota
	// NoSection is a sectionName that no listener has.
	NoSection
	// NoPort is a port that no listener has.
	NoPort
	// WrongKind is a route whose kind no listener takes.
	WrongKind
	// NotShared is a route from a namespace that no listener allows.
	NotShared
	// NoHostname is a route without a host in common with a listener.
	NoHostname
	// RefusalUnknown is a route that nobody can judge without its Namespace.
	RefusalUnknown
)

// Listeners are those of a Gateway or a ListenerSet, the object that has them.
type Listeners struct {
	*Object
	Entries []gatewayapi.Listener
}

// ListenersOf are a Gateway's own listeners.
func ListenersOf(gw *Resource[*gatewayapi.GatewaySpec]) Listeners {
	return Listeners{gw.Object, gw.Spec.Listeners}
}

// ListenersOfSet are the listeners of a ListenerSet.
func ListenersOfSet(set *Resource[*gatewayapi.ListenerSetSpec]) Listeners {
	all := make([]gatewayapi.Listener, len(set.Spec.Listeners))
	for i, l := range set.Spec.Listeners {
		all[i] = gatewayapi.Listener(l)
	}
	return Listeners{set.Object, all}
}

// At is the location of a listener.
func (x Listeners) At(l *gatewayapi.Listener) Location {
	for i := range x.Entries {
		if &x.Entries[i] == l {
			return x.Object.At("spec.listeners[%d]", i)
		}
	}
	return x.Object.At("spec.listeners")
}

// Attach says whether a Gateway or ListenerSet takes a route that names it in
// ref, and if not why, and which listeners came closest.
func (s *Snapshot) Attach(route *KubernetesRoute, ref gatewayapi.ParentReference, to Listeners) (Refusal, []*gatewayapi.Listener) {
	left := make([]*gatewayapi.Listener, 0, len(to.Entries))
	for i := range to.Entries {
		left = append(left, &to.Entries[i])
	}
	unknown := map[*gatewayapi.Listener]bool{}
	steps := []struct {
		refusal Refusal
		passes  func(*gatewayapi.Listener) bool
	}{
		{NoSection, func(l *gatewayapi.Listener) bool { return ref.SectionName == nil || *ref.SectionName == l.Name }},
		{NoPort, func(l *gatewayapi.Listener) bool { return ref.Port == nil || *ref.Port == l.Port }},
		{WrongKind, func(l *gatewayapi.Listener) bool { return ListenerTakes(l, route.Kind) }},
		{NotShared, func(l *gatewayapi.Listener) bool {
			allowed, known := s.ListenerShared(to.Namespace, l, route.Namespace)
			unknown[l] = !known
			return allowed || !known
		}},
		{NoHostname, func(l *gatewayapi.Listener) bool { return hostnamesMeet(l.Hostname, route.Hostnames) }},
	}
	for _, step := range steps {
		var passed []*gatewayapi.Listener
		for _, l := range left {
			if step.passes(l) {
				passed = append(passed, l)
			}
		}
		if len(passed) == 0 {
			return step.refusal, left
		}
		left = passed
	}
	for _, l := range left {
		if !unknown[l] {
			return Accepted, left
		}
	}
	return RefusalUnknown, left
}

// ListenerShared says whether a listener of a Gateway in namespace home takes
// routes of a namespace; known is false when that takes labels of a Namespace
// that the input does not hold.
func (s *Snapshot) ListenerShared(home string, l *gatewayapi.Listener, namespace string) (allowed, known bool) {
	from := gatewayapi.NamespacesFromSame
	var selector *metav1.LabelSelector
	if l.AllowedRoutes != nil && l.AllowedRoutes.Namespaces != nil {
		selector = l.AllowedRoutes.Namespaces.Selector
		if f := l.AllowedRoutes.Namespaces.From; f != nil {
			from = *f
		}
	}
	switch from {
	case gatewayapi.NamespacesFromAll:
		return true, true
	case gatewayapi.NamespacesFromSelector:
		return s.namespaceMatches(selector, namespace)
	case gatewayapi.NamespacesFromNone:
		return false, true
	}
	return home == namespace, true
}

// SetAllowed says whether a Gateway takes the ListenerSets of a namespace, which
// none does unless it says so; known is false when that takes labels of a
// Namespace that the input does not hold.
func (s *Snapshot) SetAllowed(gw *Resource[*gatewayapi.GatewaySpec], namespace string) (allowed, known bool) {
	if gw.Spec.AllowedListeners == nil || gw.Spec.AllowedListeners.Namespaces == nil {
		return false, true
	}
	namespaces := gw.Spec.AllowedListeners.Namespaces
	from := gatewayapi.NamespacesFromNone
	switch {
	case namespaces.From != nil:
		from = *namespaces.From
	case namespaces.Selector != nil:
		return false, false // the definition's default fills in None in a cluster only
	}
	switch {
	case from == gatewayapi.NamespacesFromAll:
		return true, true
	case from == gatewayapi.NamespacesFromSame:
		return gw.Namespace == namespace, true
	case from == gatewayapi.NamespacesFromSelector && namespaces.Selector != nil:
		return s.namespaceMatches(namespaces.Selector, namespace)
	}
	return false, true
}

// namespaceMatches says whether a selector picks a namespace, which always has
// its name as a label.
func (s *Snapshot) namespaceMatches(selector *metav1.LabelSelector, namespace string) (matches, known bool) {
	if selector == nil {
		return true, true
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	if err != nil {
		return false, false
	}
	set := labels.Set{}
	written, known := s.NamespaceLabels(namespace)
	for k, v := range written {
		set[k] = v
	}
	set[namespaceName] = namespace
	if !known {
		requirements, _ := parsed.Requirements()
		known = true
		for _, r := range requirements {
			known = known && r.Key() == namespaceName
		}
	}
	return parsed.Matches(set), known
}

// ListenerTakes says whether a listener takes routes of a kind.
func ListenerTakes(l *gatewayapi.Listener, route Kind) bool {
	takes := true // a protocol of someone else's
	switch l.Protocol {
	case gatewayapi.HTTPProtocolType, gatewayapi.HTTPSProtocolType:
		takes = route == HTTPRoute || route == GRPCRoute
	case gatewayapi.TLSProtocolType:
		terminates := l.TLS == nil || l.TLS.Mode == nil || *l.TLS.Mode == gatewayapi.TLSModeTerminate
		takes = route == TLSRoute || route == TCPRoute && terminates
	case gatewayapi.TCPProtocolType:
		takes = route == TCPRoute
	case gatewayapi.UDPProtocolType, HBONEProtocol:
		takes = false
	}
	if !takes || l.AllowedRoutes == nil || len(l.AllowedRoutes.Kinds) == 0 {
		return takes
	}
	for _, k := range l.AllowedRoutes.Kinds {
		if string(k.Kind) == route.Kind && (k.Group == nil || string(*k.Group) == route.Group) {
			return true
		}
	}
	return false
}

// hostnamesMeet says whether a listener and a route have a host in common.
func hostnamesMeet(listener *gatewayapi.Hostname, route []gatewayapi.Hostname) bool {
	if listener == nil || *listener == "" || len(route) == 0 {
		return true
	}
	for _, h := range route {
		if HostsOverlap(string(*listener), string(h)) {
			return true
		}
	}
	return false
}
