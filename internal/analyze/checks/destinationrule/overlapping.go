package destinationrule

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Overlapping finds rules for one host that take something from each other.
// Several as such are fine: istiod merges those of one namespace.
var Overlapping = &analyze.Check{
	Code: "MSH0201", Name: "overlapping-destination-rules", Severity: analyze.Warning, KIA: "KIA0201",
	Reads: []mesh.Kind{mesh.DestinationRule},
	Uses:  slices.Concat(mesh.ViewKinds(), mesh.RouteKinds(), []mesh.Kind{mesh.Service, mesh.ServiceEntry, mesh.VirtualService}),
	Doc: analyze.Doc{
		What: "Several DestinationRules of a namespace are for the same host, and both define a subset of the same name or a trafficPolicy that differ, or their exportTo differs.",
		Why:  "istiod merges DestinationRules for one host: of equal subsets, and of the trafficPolicies at the top, the oldest rule's counts and the others are dropped without a word. Rules whose exportTo differs are not merged at all: where both are seen, only the youngest counts, and the subsets of the other vanish (503, response flag NC).",
		Fix:  "Keep one DestinationRule per host and namespace. If several teams add subsets, let only one rule have a trafficPolicy at the top, and give all the same exportTo.",
	},
	Run: func(p *analyze.Pass) {
		groups := map[string][]rule{}
		var order []string
		for _, dr := range p.DestinationRules() {
			key := dr.Namespace + " " + p.FQDN(dr.Spec.GetHost(), dr.Namespace) + " " + selector.Text(dr.Spec.GetWorkloadSelector().GetMatchLabels())
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], dr)
		}
		separate := !p.ControlPlaneSets("ENABLE_ENHANCED_DESTINATIONRULE_MERGE", "false")
		for _, key := range order {
			if len(groups[key]) > 1 && !hidden(p, groups[key][0]) {
				judgeGroup(p, groups[key], separate)
			}
		}
	},
}

// judgeGroup looks at the rules of a namespace for one host and the same
// clients; separate says that istiod keeps those apart whose exportTo differs.
func judgeGroup(p *analyze.Pass, group []rule, separate bool) {
	merged := map[string][]rule{}
	var order []string
	for _, dr := range group {
		key := strings.Join(slices.Sorted(slices.Values(dr.Spec.GetExportTo())), ",")
		if dr.Spec.GetWorkloadSelector() != nil || !separate {
			key = "" // exportTo counts for nothing
		}
		if merged[key] == nil {
			order = append(order, key)
		}
		merged[key] = append(merged[key], dr)
	}
	for _, key := range order {
		duplicateSubsets(p, merged[key])
		duplicatePolicies(p, merged[key])
		for _, other := range order {
			if other != key && meet(p, merged[key][0], merged[other][0]) {
				notMerged(p, merged[key][0], merged[other][0])
				break
			}
		}
	}
}

// hidden says whether Sidecars keep the host of a rule from all proxies, so that
// none gets the rule.
func hidden(p *analyze.Pass, dr rule) bool {
	hosts := hostsOf(p, dr)
	return len(hosts) > 0 && !slices.ContainsFunc(hosts, func(h *mesh.Host) bool { return p.SeenBySomeone(h.Exported()) })
}

// hostsOf are the hosts that a rule is for; none where it is for many or the
// input does not tell of them.
func hostsOf(p *analyze.Pass, dr rule) []*mesh.Host {
	host := p.FQDN(dr.Spec.GetHost(), dr.Namespace)
	if strings.HasPrefix(host, "*") {
		return nil
	}
	return p.Registry().All(host)
}

// meet says whether some namespace sees both rules, and their host.
func meet(p *analyze.Pass, a, b rule) bool {
	hosts := hostsOf(p, a)
	return slices.ContainsFunc(audience(a, b), func(ns string) bool {
		return p.Visible(mesh.DestinationRule, a.Spec.GetExportTo(), a.Namespace, ns) && p.Visible(mesh.DestinationRule, b.Spec.GetExportTo(), b.Namespace, ns) &&
			(len(hosts) == 0 || slices.ContainsFunc(hosts, func(h *mesh.Host) bool { return p.SeesHost(ns, h) }))
	})
}

// audience are namespaces one of which sees both rules if any does.
func audience(a, b rule) []string {
	namespaces := slices.Concat([]string{a.Namespace, b.Namespace}, a.Spec.GetExportTo(), b.Spec.GetExportTo())
	return slices.DeleteFunc(namespaces, func(ns string) bool { return strings.ContainsAny(ns, ".*~") })
}

func notMerged(p *analyze.Pass, dr, other rule) {
	at := dr.At("spec.exportTo")
	if len(dr.Spec.GetExportTo()) == 0 {
		at = dr.At("spec.host")
	}
	p.Report(at, "another DestinationRule for %q has another exportTo: they are not merged, and where both are seen only the youngest counts", dr.Spec.GetHost()).
		Evidence(other.At("spec.exportTo"), "is for the same host").
		Suggest("give both the same exportTo, or merge them into one")
}

// few is with how many others of its name a subset is compared: one that
// differs from any differs from one of the first, or is among them.
const few = 4

// duplicateSubsets reports subsets that another rule has with other settings.
func duplicateSubsets(p *analyze.Pass, rules []rule) {
	type owner struct {
		rule
		index int
	}
	owners := map[string][]owner{}
	for _, dr := range rules {
		for i, subset := range dr.Spec.GetSubsets() {
			owners[subset.GetName()] = append(owners[subset.GetName()], owner{dr, i})
		}
	}
	for _, dr := range rules {
		for i, subset := range dr.Spec.GetSubsets() {
			rivals := owners[subset.GetName()]
			for _, other := range rivals[:min(few, len(rivals))] {
				if other.Object == dr.Object || proto.Equal(subset, other.Spec.GetSubsets()[other.index]) {
					continue
				}
				if oldest := mesh.Oldest([]rule{dr, other.rule}); oldest == nil || oldest.Object != dr.Object {
					p.Report(dr.At("spec.subsets[%d].name", i), "another DestinationRule for %q defines the subset %q otherwise: the oldest counts", dr.Spec.GetHost(), subset.GetName()).
						Evidence(other.At("spec.subsets[%d]", other.index), "defines it too").
						Suggest("rename one of the subsets, or remove it")
				}
				break
			}
		}
	}
}

// duplicatePolicies reports rules whose trafficPolicy is not, or may not be, in force.
func duplicatePolicies(p *analyze.Pass, rules []rule) {
	var with []rule
	for _, dr := range rules {
		if dr.Spec.GetTrafficPolicy() != nil {
			with = append(with, dr)
		}
	}
	if len(with) < 2 {
		return
	}
	oldest := mesh.Oldest(with)
	for i, dr := range with {
		other := with[(i+1)%len(with)]
		if oldest != nil {
			other = oldest
		}
		if dr.Object == other.Object || proto.Equal(dr.Spec.GetTrafficPolicy(), other.Spec.GetTrafficPolicy()) {
			continue
		}
		p.Report(dr.AtKey("spec.trafficPolicy"), "another DestinationRule for %q has a trafficPolicy too: they are not merged, the oldest counts", dr.Spec.GetHost()).
			Evidence(other.AtKey("spec.trafficPolicy"), "is another").
			Suggest("merge them into one of the rules")
	}
}
