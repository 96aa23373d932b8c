package mesh

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Exported is what decides which proxies are told of a VirtualService, a
// Service or a ServiceEntry.
type Exported struct {
	Kind      Kind
	Namespace string
	// ExportTo is the object's own; without it the mesh's default counts.
	ExportTo []string
	// Hosts are full host names.
	Hosts []string
	// Port is the one in question; 0 for any.
	Port uint32
}

// On is one port of one host of an object: a Sidecar may let in another.
func (x Exported) On(host string, port uint32) Exported {
	x.Hosts, x.Port = []string{host}, port
	return x
}

// ExportedVirtualService is what decides who gets a VirtualService.
func (s *Snapshot) ExportedVirtualService(vs *Resource[*networking.VirtualService]) Exported {
	return Exported{Kind: VirtualService, Namespace: vs.Namespace, ExportTo: vs.Spec.GetExportTo(), Hosts: s.fullNames(vs.Spec.GetHosts(), vs.Namespace)}
}

// ExportedEntry is what decides who gets a ServiceEntry.
func (s *Snapshot) ExportedEntry(se *Resource[*networking.ServiceEntry]) Exported {
	return Exported{Kind: ServiceEntry, Namespace: se.Namespace, ExportTo: se.Spec.GetExportTo(), Hosts: s.fullNames(se.Spec.GetHosts(), se.Namespace)}
}

// Exported is what decides who gets a host.
func (h *Host) Exported() Exported {
	return Exported{Kind: h.Object.Kind, Namespace: h.Object.Namespace, ExportTo: h.exportTo, Hosts: []string{h.Name}}
}

func (s *Snapshot) fullNames(hosts []string, namespace string) []string {
	full := make([]string, len(hosts))
	for i, host := range hosts {
		full[i] = s.FQDN(host, namespace)
	}
	return full
}

// keys are those of [egress.keys] that a Sidecar which lets the object in has one of.
func (x Exported) keys() []string {
	var all []string
	for _, namespace := range []string{x.Namespace, "*"} {
		all = append(all, namespace+"/*")
		for _, host := range x.Hosts {
			if strings.HasPrefix(host, "*") {
				all = append(all, namespace)
			}
			all = append(all, namespace+"/"+host)
			for i := range len(host) {
				if host[i] == '.' {
					all = append(all, namespace+"/*"+host[i:])
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// egress is what a Sidecar's egress lets in. Each listener takes its
// VirtualServices for itself. A listener with a port lets in that port of hosts
// alone, and all of VirtualServices.
type egress struct {
	object    *Object
	listeners []*listener
}

// listener holds host patterns by the namespace before the slash, which may be
// "*" for any and "." for the proxy's own.
type listener struct {
	exact    map[string]bool // "namespace/host"
	names    map[string][]string
	wild     map[string][]string
	excluded map[string][]string
	port     uint32 // 0 for any
}

func newEgress(sc *Resource[*networking.Sidecar]) *egress {
	e := &egress{object: sc.Object}
	for _, own := range sc.Spec.GetEgress() {
		l := &listener{exact: map[string]bool{}, names: map[string][]string{}, wild: map[string][]string{}, excluded: map[string][]string{}}
		if !strings.EqualFold(own.GetPort().GetProtocol(), "HTTP_PROXY") { // that one is for all ports
			l.port = own.GetPort().GetNumber()
		}
		for _, entry := range own.GetHosts() {
			l.add(strings.ToLower(entry))
		}
		e.listeners = append(e.listeners, l)
	}
	return e
}

func (l *listener) add(entry string) {
	namespace, host, ok := strings.Cut(entry, "/")
	if !ok {
		return // istiod takes no such entry
	}
	if of, excluded := strings.CutPrefix(namespace, "~"); excluded {
		if of == "" {
			of = "*"
		}
		l.excluded[of] = append(l.excluded[of], host)
		return
	}
	if strings.HasPrefix(host, "*") {
		l.wild[namespace] = append(l.wild[namespace], host)
		return
	}
	l.exact[namespace+"/"+host] = true
	l.names[namespace] = append(l.names[namespace], host)
}

// keys are what the Sidecar lists, to find it by: "namespace/host" with the
// wildcard that the host may have, and "namespace" alone.
func (e *egress) keys() []string {
	var all []string
	for _, l := range e.listeners {
		for namespace, hosts := range l.names {
			all = append(all, namespace)
			for _, host := range hosts {
				all = append(all, namespace+"/"+host)
			}
		}
		for namespace, hosts := range l.wild {
			all = append(all, namespace)
			for _, host := range hosts {
				all = append(all, namespace+"/"+host)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// everything says whether the Sidecar leaves nothing out, as one without egress does.
func (e *egress) everything() bool {
	return len(e.listeners) == 0 || slices.ContainsFunc(e.listeners, func(l *listener) bool {
		return l.port == 0 && len(l.excluded) == 0 && slices.Contains(l.wild["*"], "*")
	})
}

// lets says whether a proxy of namespace from is let in on all of some objects
// at once: VirtualServices through one listener, others through any.
func (e *egress) lets(from string, all ...Exported) bool {
	if all[0].Kind == VirtualService {
		return slices.ContainsFunc(e.listeners, func(l *listener) bool {
			return !slices.ContainsFunc(all, func(x Exported) bool { return !l.lets(from, x) })
		})
	}
	return !slices.ContainsFunc(all, func(x Exported) bool {
		return !slices.ContainsFunc(e.listeners, func(l *listener) bool { return l.lets(from, x) })
	})
}

func (l *listener) lets(from string, x Exported) bool {
	if x.Kind != VirtualService && l.port != 0 && x.Port != 0 && l.port != x.Port {
		return false
	}
	prefixes := []string{x.Namespace, "*"}
	if from == x.Namespace {
		prefixes = append(prefixes, ".")
	}
	return slices.ContainsFunc(x.Hosts, func(host string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return l.matches(prefix, host, x.Kind) }) &&
			!slices.ContainsFunc(prefixes, func(prefix string) bool {
				return slices.ContainsFunc(l.excluded[prefix], func(pattern string) bool { return HostMatches(pattern, host) })
			})
	})
}

// matches says whether a host is among those listed for a namespace. A Service's
// has to be covered; for a VirtualService it is enough that wildcards overlap.
func (l *listener) matches(namespace, host string, kind Kind) bool {
	if l.exact[namespace+"/"+host] {
		return true
	}
	if kind != VirtualService {
		return slices.ContainsFunc(l.wild[namespace], func(pattern string) bool { return HostMatches(pattern, host) })
	}
	overlaps := func(pattern string) bool { return HostsOverlap(pattern, host) }
	return slices.ContainsFunc(l.wild[namespace], overlaps) ||
		strings.HasPrefix(host, "*") && slices.ContainsFunc(l.names[namespace], overlaps)
}
