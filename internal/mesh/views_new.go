package mesh

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"
)

// newViews finds out what the proxies of each namespace see.
func (s *Snapshot) newViews() *views {
	v := &views{in: map[string][]*view{}, listing: map[string][]*view{}}
	populated := map[string]bool{}
	for _, w := range s.Workloads() {
		ns := w.Object.Namespace
		if w.IsGateway() || s.DataPlane(w) == InAmbient {
			v.in[ns] = append(v.in[ns], &view{namespace: ns, gateway: true})
		} else {
			populated[ns] = true
		}
	}
	for _, we := range s.WorkloadEntries() {
		populated[we.Namespace] = true
	}
	for _, wg := range s.WorkloadGroups() {
		populated[wg.Namespace] = true
	}
	v.known = s.KnownEverywhere(Pod) && len(populated)+len(v.in) > 0
	for _, gw := range s.KubernetesGateways() {
		v.in[gw.Namespace] = append(v.in[gw.Namespace], &view{namespace: gw.Namespace, gateway: gw.Spec.GatewayClassName != WaypointClass})
	}
	v.addSidecars(s, populated)
	return v
}

// newRouted are the destinations of VirtualServices for sidecars and of the
// Gateway API's routes: istiod adds them to what a proxy sees that gets the route.
func (s *Snapshot) newRouted() map[string]bool {
	routed := map[string]bool{}
	for _, vs := range s.VirtualServices() {
		if InMesh(vs.Spec) {
			for _, r := range Routes(vs.Spec) {
				routed[s.FQDN(r.Destination.GetHost(), vs.Namespace)] = true
			}
		}
	}
	for _, route := range s.KubernetesRoutes() {
		for _, backend := range route.Backends {
			routed[string(backend.Ref.Name)] = true // of the kind Hostname
		}
	}
	return routed
}

// addSidecars adds what the Sidecars make of the namespaces.
func (v *views) addSidecars(s *Snapshot, populated map[string]bool) {
	own := map[string][]*Resource[*networking.Sidecar]{}
	for _, sc := range s.Sidecars() {
		own[sc.Namespace] = append(own[sc.Namespace], sc)
	}
	inRoot := slices.DeleteFunc(slices.Clone(own[s.RootNamespace()]), func(sc *Resource[*networking.Sidecar]) bool {
		return sc.Spec.GetWorkloadSelector() != nil // an empty one is for the namespace alone
	})
	for _, sc := range applicable(inRoot) {
		v.root = append(v.root, v.viewOf("", newEgress(sc)))
	}
	if len(v.root) == 0 {
		v.root = []*view{{}}
	}
	rootUsed := !v.known
	for ns, sidecars := range own {
		if v.known && !populated[ns] {
			continue
		}
		defaults := false
		for _, sc := range applicable(sidecars) {
			labels := sc.Spec.GetWorkloadSelector().GetLabels()
			defaults = defaults || len(labels) == 0
			if len(labels) > 0 && v.known && len(s.Select(ns, labels)) == 0 && !s.SelectsMachines(ns, labels) {
				continue
			}
			v.add(v.viewOf(ns, newEgress(sc)))
		}
		if !defaults {
			v.in[ns] = append(v.in[ns], v.root...)
			rootUsed = true
		}
	}
	for ns := range populated {
		if len(own[ns]) == 0 {
			v.in[ns] = append(v.in[ns], v.root...)
			rootUsed = true
		}
	}
	for ns, there := range v.in {
		if !v.known && len(own[ns]) == 0 && !populated[ns] {
			v.in[ns] = append(there, v.root...) // gateways, and who knows what
		}
		for _, w := range there {
			v.free = v.free || w.egress == nil
			v.freeSidecars = v.freeSidecars || w.egress == nil && !w.gateway
		}
	}
	for _, w := range v.root {
		if rootUsed {
			v.list(w)
			v.free = v.free || w.egress == nil
			v.freeSidecars = v.freeSidecars || w.egress == nil
		}
	}
}

// applicable are the Sidecars of a namespace without all but one of its
// defaults: the oldest counts. Where the input does not say which that is, the
// first few may.
func applicable(sidecars []*Resource[*networking.Sidecar]) []*Resource[*networking.Sidecar] {
	const few = 4
	var defaults, all []*Resource[*networking.Sidecar]
	for _, sc := range sidecars {
		if len(sc.Spec.GetWorkloadSelector().GetLabels()) == 0 {
			defaults = append(defaults, sc)
		} else {
			all = append(all, sc)
		}
	}
	if oldest := Oldest(defaults); oldest != nil {
		return append(all, oldest)
	}
	return append(all, defaults[:min(few, len(defaults))]...)
}

// viewOf is the view that a Sidecar gives.
func (v *views) viewOf(namespace string, e *egress) *view {
	if e.everything() {
		return &view{namespace: namespace}
	}
	v.sidecars = true
	return &view{namespace: namespace, egress: e}
}

func (v *views) add(w *view) {
	v.in[w.namespace] = append(v.in[w.namespace], w)
	v.list(w)
}

func (v *views) list(w *view) {
	if w.egress == nil {
		return
	}
	for _, key := range w.egress.keys() {
		v.listing[key] = append(v.listing[key], w)
	}
}
