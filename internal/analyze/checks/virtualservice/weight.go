package virtualservice

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// IneffectiveWeight finds weights of destinations that have no other beside them.
var IneffectiveWeight = &analyze.Check{
	Code: "MSH0501", Name: "weight-of-single-destination", Severity: analyze.Warning, KIA: "KIA1104",
	Reads: []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "The only destination of a route has a weight below 100.",
		Why:  "Weights divide traffic between destinations. A single one gets all of it, whatever its weight: nothing is dropped, and nothing is left for a second one that was forgotten.",
		Fix:  "Remove the weight, or add the destination that gets the rest. To fail a part of the requests use a fault.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			for _, r := range weighted(vs.Spec) {
				if len(r.destinations) == 1 && r.destinations[0].weight > 0 && r.destinations[0].weight < 100 {
					p.Report(vs.At("%s.route[0].weight", r.path), "the weight %d has no effect: the destination is the only one and gets all traffic", r.destinations[0].weight).
						Suggest("remove the weight, or add another destination")
				}
			}
		}
	},
}

// DuplicateDestination finds routes that have the same destination twice.
var DuplicateDestination = &analyze.Check{
	Code: "MSH0502", Name: "duplicate-destination", Severity: analyze.Warning, KIA: "KIA1105",
	Reads: []mesh.Kind{mesh.VirtualService},
	Uses:  []mesh.Kind{mesh.DestinationRule},
	Doc: analyze.Doc{
		What: "Two destinations of one route are the same: host, subset, port and headers.",
		Why:  "Their weights add up. Mostly one of them was copied and its subset not changed, and the version that was meant gets no traffic.",
		Fix:  "Name the other subset or host, or remove one of the two and add up the weights.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			for _, r := range weighted(vs.Spec) {
				if len(r.destinations) > 1 {
					duplicates(p, vs, r)
				}
			}
		}
	},
}

func duplicates(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService], r weightedRoute) {
	first := map[string]int{}
	used := map[string]bool{}
	for _, d := range r.destinations {
		used[d.to.GetSubset()] = true
	}
	for i, d := range r.destinations {
		fqdn := p.FQDN(d.to.GetHost(), vs.Namespace)
		key := fmt.Sprintf("%s|%s|%d|%s", fqdn, d.to.GetSubset(), d.to.GetPort().GetNumber(), d.headers)
		j, again := first[key]
		if !again {
			first[key] = i
			continue
		}
		f := p.Report(vs.At("%s.route[%d].destination", r.path, i), "the destination is the same as route[%d] of the rule: %s", j, destination(fqdn, d.to.GetSubset())).
			Evidence(vs.At("%s.route[%d].destination", r.path, j), "is the same").
			Suggest("remove one of them")
		var others []string
		for _, subset := range subsets(p.RulesFor(fqdn)) {
			if !used[subset] {
				others = append(others, subset)
			}
		}
		if best := hint.Closest(d.to.GetSubset(), others); best != "" {
			f.Suggest("change the subset to %q, or remove one of them", best)
		}
	}
}

func destination(host, subset string) string {
	if subset == "" {
		return fmt.Sprintf("%q", host)
	}
	return fmt.Sprintf("subset %q of %q", subset, host)
}

// weightedRoute is one rule's destinations.
type weightedRoute struct {
	path         string // of the rule
	destinations []weightedDestination
}

type weightedDestination struct {
	to      *networking.Destination
	weight  int32
	headers string
}

func weighted(vs *networking.VirtualService) []weightedRoute {
	var all []weightedRoute
	for i, http := range vs.GetHttp() {
		r := weightedRoute{path: fmt.Sprintf("spec.http[%d]", i)}
		for _, d := range http.GetRoute() {
			r.destinations = append(r.destinations, weightedDestination{d.GetDestination(), d.GetWeight(), d.GetHeaders().String()})
		}
		all = append(all, r)
	}
	plain := func(path string, route []*networking.RouteDestination) {
		r := weightedRoute{path: path}
		for _, d := range route {
			r.destinations = append(r.destinations, weightedDestination{d.GetDestination(), d.GetWeight(), ""})
		}
		all = append(all, r)
	}
	for i, tls := range vs.GetTls() {
		plain(fmt.Sprintf("spec.tls[%d]", i), tls.GetRoute())
	}
	for i, tcp := range vs.GetTcp() {
		plain(fmt.Sprintf("spec.tcp[%d]", i), tcp.GetRoute())
	}
	return all
}
