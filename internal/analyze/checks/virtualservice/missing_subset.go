package virtualservice

import (
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingSubset finds routes to subsets that no DestinationRule defines.
var MissingSubset = &analyze.Check{
	Code: "IST0101", Name: "missing-subset", Severity: analyze.Error, KIA: "KIA1107",
	Reads: []mesh.Kind{mesh.VirtualService, mesh.DestinationRule},
	Uses:  []mesh.Kind{mesh.Service, mesh.ServiceEntry},
	Doc: analyze.Doc{
		What: "A VirtualService sends traffic to a subset of a host that no DestinationRule for the host defines.",
		Why:  "Proxies have no cluster for the subset: requests that match the route fail with 503 (response flag NC), although the host itself is fine.",
		Fix:  "Add the subset to the host's DestinationRule, or name one that it has.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			for _, r := range mesh.Routes(vs.Spec) {
				if r.Destination.GetSubset() != "" && r.Destination.GetHost() != "" {
					checkSubset(p, vs.At("%s.subset", r.Path), p.FQDN(r.Destination.GetHost(), vs.Namespace), r.Destination.GetSubset())
				}
			}
		}
	},
}

func checkSubset(p *analyze.Pass, at mesh.Location, fqdn, subset string) {
	rules := p.RulesFor(fqdn)
	there := subsets(rules)
	if slices.Contains(there, subset) || slices.Contains(subsets(shadowed(p, fqdn)), subset) || missingHosts(p, fqdn, len(rules) > 0) {
		return
	}
	if len(rules) == 0 {
		if ns, ok := unknownRules(p, at.Object.Namespace, fqdn); ok {
			p.CantTell(mesh.DestinationRule, ns)
			return
		}
		p.Report(at, "no DestinationRule for %q defines the subset %q: there is none for the host", fqdn, subset).
			Suggest("create a DestinationRule for the host with the subset %q", subset)
		return
	}
	f := p.Report(at, "no DestinationRule for %q defines the subset %q", fqdn, subset)
	for _, dr := range rules {
		f.Evidence(dr.At("spec.subsets"), "is for the host")
	}
	switch best := hint.Sole(subset, there); {
	case best != "":
		f.Suggest("change the subset to %q", best)
	case len(there) > 0: // v3 beside v1 and v2 is no typing error
		f.Suggest("add the subset %q to %s, or use %s", subset, rules[0].Ref, either(there))
	default:
		f.Suggest("add the subset %q to %s", subset, rules[0].Ref)
	}
}

func subsets(rules []*mesh.Resource[*networking.DestinationRule]) []string {
	var names []string
	for _, dr := range rules {
		for _, s := range dr.Spec.GetSubsets() {
			names = append(names, s.GetName())
		}
	}
	return names
}

// shadowed are the rules for a host that a later file replaces: which of the
// definitions will be applied is not for us to say.
func shadowed(p *analyze.Pass, fqdn string) []*mesh.Resource[*networking.DestinationRule] {
	var rules []*mesh.Resource[*networking.DestinationRule]
	for _, o := range p.Shadowed() {
		if o.Kind != mesh.DestinationRule {
			continue
		}
		if dr := mesh.As[*networking.DestinationRule](o); mesh.HostMatches(p.FQDN(dr.Spec.GetHost(), dr.Namespace), fqdn) {
			rules = append(rules, dr)
		}
	}
	return rules
}

// missingHosts says whether the host is for missing-host to judge: it is in no
// registry, and no rule, or the Services of its namespace, tell of it.
func missingHosts(p *analyze.Pass, fqdn string, ruled bool) bool {
	if len(p.Registry().All(fqdn)) > 0 {
		return false
	}
	_, ns, ok := p.ServiceName(fqdn)
	return !ruled || ok && p.KnownIn(mesh.Service, ns)
}

// unknownRules is a namespace whose rules could apply to the host, and of which
// the input says nothing.
func unknownRules(p *analyze.Pass, namespace, fqdn string) (string, bool) {
	namespaces := []string{namespace}
	if _, ns, ok := p.ServiceName(fqdn); ok {
		namespaces = append(namespaces, ns)
	}
	for _, ns := range namespaces {
		if !p.KnownIn(mesh.DestinationRule, ns) {
			return ns, true
		}
	}
	return "", false
}

// either names a few subsets to choose from.
func either(subsets []string) string {
	const few = 3
	quoted := make([]string, 0, few)
	for _, s := range subsets[:min(few, len(subsets))] {
		quoted = append(quoted, strconv.Quote(s))
	}
	return strings.Join(quoted, " or ")
}
