package destinationrule

import (
	networking "istio.io/api/networking/v1alpha3"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SubsetWithoutWorkloads finds subsets that no workload of the host is in.
var SubsetWithoutWorkloads = &analyze.Check{
	Code: "IST0173", Name: "subset-without-workloads", Severity: analyze.Error, KIA: "KIA0203",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.Service, mesh.ServiceEntry, mesh.Pod},
	Uses:  append(selector.Kinds(), mesh.VirtualService),
	Doc: analyze.Doc{
		What: "No workload behind the host of a DestinationRule has the labels of a subset. Workloads of other Services do not count.",
		Why:  "The subset has no endpoints: requests that a VirtualService sends there fail with 503 (response flag UH). As long as no route uses it, nothing happens.",
		Fix:  "Correct the subset's labels, which are those of the pods, or bring up the workload before a route sends traffic to it.",
	},
	Run: func(p *analyze.Pass) {
		used := usedSubsets(p)
		for _, dr := range p.DestinationRules() {
			host := p.FQDN(dr.Spec.GetHost(), dr.Namespace)
			hosts := p.Registry().All(host)
			if len(hosts) == 0 {
				continue
			}
			for i, subset := range dr.Spec.GetSubsets() {
				labels := ownLabels(subset.GetLabels())
				if len(labels) == 0 {
					continue
				}
				if filled, unknownIn := hasWorkloads(p, hosts, labels); filled {
					continue
				} else if unknownIn != "" {
					p.CantTell(mesh.Pod, unknownIn)
					continue
				}
				at := dr.At("spec.subsets[%d].labels", i)
				f := p.Report(at, "subset %q is empty: no workload of %q has the labels %s", subset.GetName(), host, selector.Text(labels))
				p.MayBeElsewhere(f)
				if route, ok := used[subsetOf{host, subset.GetName()}]; ok {
					f.Evidence(route, "sends traffic to it")
				} else {
					f.As(analyze.Info)
				}
				selector.Suggest(f, p, hosts[0].Object.Namespace, labels)
			}
		}
	},
}

type subsetOf struct{ host, subset string }

// usedSubsets are the subsets that routes send traffic to, and where.
func usedSubsets(p *analyze.Pass) map[subsetOf]mesh.Location {
	used := map[subsetOf]mesh.Location{}
	for _, vs := range p.VirtualServices() {
		for _, r := range mesh.Routes(vs.Spec) {
			key := subsetOf{p.FQDN(r.Destination.GetHost(), vs.Namespace), r.Destination.GetSubset()}
			if _, known := used[key]; !known && key.subset != "" && !idle(r) {
				used[key] = vs.At("%s.subset", r.Path)
			}
		}
	}
	return used
}

// idle says whether a route gets no traffic: it has no weight beside others.
func idle(r mesh.Route) bool {
	for _, route := range r.HTTP.GetRoute() {
		if route.GetDestination() == r.Destination {
			return route.GetWeight() == 0 && len(r.HTTP.GetRoute()) > 1
		}
	}
	return false
}

// ownLabels are labels without those that pods get only when they run, such
// as their zone.
func ownLabels(labels map[string]string) map[string]string {
	own := map[string]string{}
	for k, v := range labels {
		if !mesh.AddedLabel(k) {
			own[k] = v
		}
	}
	return own
}

// hasWorkloads says whether one of the hosts has an endpoint with the labels,
// or may have; if not, unknownIn is a namespace that the input says too little of.
func hasWorkloads(p *analyze.Pass, hosts []*mesh.Host, labels map[string]string) (filled bool, unknownIn string) {
	for _, h := range hosts {
		if !judgeable(h) || endpointHas(h.Entry, labels) {
			return true, ""
		}
		if len(h.Selector) == 0 {
			continue // its endpoints were all looked at
		}
		both, ok := mesh.Merge(h.Selector, labels)
		if ok && p.Selects(h.Object.Namespace, both) {
			return true, ""
		}
		if ok && !p.KnowsWorkloads(h.Object.Namespace) {
			unknownIn = h.Object.Namespace
		}
	}
	return false, unknownIn
}

// judgeable says whether the input can tell what runs behind a host.
func judgeable(h *mesh.Host) bool {
	if h.Service != nil {
		return h.Service.Type != core.ServiceTypeExternalName && len(h.Selector) > 0
	}
	switch h.Entry.GetResolution() {
	case networking.ServiceEntry_NONE, networking.ServiceEntry_DYNAMIC_DNS:
		return false // requests go where the client looked up
	case networking.ServiceEntry_DNS, networking.ServiceEntry_DNS_ROUND_ROBIN:
		return true // without endpoints the host is the only one, and has no labels
	}
	return len(h.Selector) > 0 || len(h.Entry.GetEndpoints()) > 0
}

func endpointHas(entry *networking.ServiceEntry, labels map[string]string) bool {
	for _, e := range entry.GetEndpoints() {
		if mesh.Subset(labels, e.GetLabels()) {
			return true
		}
	}
	return false
}
