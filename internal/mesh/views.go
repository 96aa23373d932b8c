package mesh

import "slices"

// views are what the proxies of the mesh are told of, by their Sidecars: that
// which selects a proxy, else the default of its namespace, else that of the
// root namespace, else everything that is exported to it. Gateways, waypoints
// and ztunnels are not subject to Sidecars.
type views struct {
	sidecars bool // there is one that leaves something out
	known    bool // workloads is all that runs
	in       map[string][]*view
	root     []*view // of a namespace without Sidecars of its own
	// listing are views by the keys of what their Sidecars list.
	listing map[string][]*view
	// free says that some proxies, freeSidecars that some other than gateways,
	// see all that is exported to them.
	free, freeSidecars bool
}

// view is what some proxies see; namespace is empty for any that has no Sidecar.
type view struct {
	namespace string
	egress    *egress // nil: everything
	gateway   bool    // or a ztunnel: no VirtualServices for sidecars
}

func (v *view) sees(from string, all ...Exported) bool {
	return v.egress == nil || v.egress.lets(from, all...)
}

// ViewKinds are the kinds that SeenTogether, SeenBySomeone and SeesHost look at.
func ViewKinds() []Kind {
	return append(WorkloadKinds(), Sidecar, Namespace, WorkloadEntry, WorkloadGroup, KubernetesGateway)
}

func (s *Snapshot) lookAtViews() *views {
	s.touch(ViewKinds()...)
	return s.views()
}

// SeenTogether says whether some sidecar or waypoint may be told of both:
// exportTo lets it, and so does its Sidecar. Where the input does not tell what
// runs, any namespace may have proxies. Gateways, which see all that is exported
// to them, have no listeners for hosts and do not count.
func (s *Snapshot) SeenTogether(a, b Exported) bool {
	s.touch(Sidecar)
	namespaces, all := s.audienceOf(a, b)
	if !all && len(namespaces) == 0 {
		return false
	}
	if len(s.byKind[Sidecar]) == 0 {
		return true // exportTo alone decides
	}
	v := s.lookAtViews()
	return !v.sidecars || v.any(false, namespaces, all, a, b)
}

// ExportedTogether says whether some namespace may see both by their exportTo.
func (s *Snapshot) ExportedTogether(a, b Exported) bool {
	namespaces, all := s.audienceOf(a, b)
	return all || len(namespaces) > 0
}

// SeenBySomeone says whether some proxy is told of an object, by what its
// Sidecar lists or because a route leads there. It looks at [RouteKinds] too.
func (s *Snapshot) SeenBySomeone(x Exported) bool {
	s.touch(RouteKinds()...)
	s.touch(VirtualService)
	v := s.lookAtViews()
	namespaces, all := s.audienceOf(x, x)
	if v.any(x.Kind != VirtualService, namespaces, all, x) {
		return true
	}
	routed := s.routed()
	return slices.ContainsFunc(x.Hosts, func(host string) bool { return routed[host] }) && v.anybody(namespaces, all)
}

// SeesHost says whether some proxy in a namespace is told of a host, by what its
// Sidecar lists or because a route leads there. It looks at [RouteKinds] too.
func (s *Snapshot) SeesHost(namespace string, h *Host) bool {
	if !h.VisibleFrom(namespace) {
		return false
	}
	s.touch(Sidecar)
	if len(s.byKind[Sidecar]) == 0 {
		return true
	}
	s.touch(RouteKinds()...)
	s.touch(VirtualService)
	views := s.lookAtViews().of(namespace)
	return slices.ContainsFunc(views, func(v *view) bool { return v.sees(namespace, h.Exported()) }) ||
		len(views) > 0 && s.routed()[h.Name]
}

// audienceOf are the namespaces that both are exported to, or all.
func (c *content) audienceOf(a, b Exported) (namespaces []string, all bool) {
	first, everyone := c.exportedTo(a)
	second, everyoneToo := c.exportedTo(b)
	switch {
	case everyone:
		return second, everyoneToo
	case everyoneToo:
		return first, false
	}
	return slices.DeleteFunc(first, func(ns string) bool { return !slices.Contains(second, ns) }), false
}

func (c *content) exportedTo(x Exported) (namespaces []string, all bool) {
	exportTo := c.exportTo(x.Kind, x.ExportTo)
	if len(exportTo) == 0 || slices.Contains(exportTo, "*") {
		return nil, true
	}
	for _, to := range exportTo {
		switch to {
		case "~":
		case ".":
			namespaces = append(namespaces, x.Namespace)
		default:
			namespaces = append(namespaces, to)
		}
	}
	return namespaces, false
}

// any says whether some proxy of the namespaces, or of any, sees all objects;
// gateways says that gateways count.
func (v *views) any(gateways bool, namespaces []string, all bool, objects ...Exported) bool {
	if all {
		if v.freeSidecars || v.free && gateways {
			return true
		}
		for _, x := range objects {
			namespaces = append(namespaces, x.Namespace)
		}
		if slices.ContainsFunc(v.fewest(objects), func(w *view) bool { return w.sees(w.namespace, objects...) }) {
			return true
		}
	}
	return slices.ContainsFunc(namespaces, func(ns string) bool {
		return slices.ContainsFunc(v.of(ns), func(w *view) bool { return (gateways || !w.gateway) && w.sees(ns, objects...) })
	})
}

// fewest are the views that list one of the objects, that which the fewest do.
func (v *views) fewest(objects []Exported) []*view {
	var fewest []*view
	for i, x := range objects {
		var some []*view
		for _, key := range x.keys() {
			some = append(some, v.listing[key]...)
		}
		if i == 0 || len(some) < len(fewest) {
			fewest = some
		}
	}
	return fewest
}

// anybody says whether the namespaces, or any, have proxies at all.
func (v *views) anybody(namespaces []string, all bool) bool {
	return all || slices.ContainsFunc(namespaces, func(ns string) bool { return len(v.of(ns)) > 0 })
}

// of are the views of a namespace.
func (v *views) of(namespace string) []*view {
	if own, there := v.in[namespace]; there || v.known {
		return own
	}
	return v.root
}
