package gateway

import (
	"maps"
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// group are all Gateways with one selector.
type group struct {
	selector map[string]string
	scope    string // the only namespace that the selector looks at; empty for all
	// near are the groups that configure some of the same workloads, itself included.
	near map[*group]bool
}

// groupOf is the group of each Gateway.
type groupOf map[*mesh.Object]*group

// groups are the groups of all Gateways, by Gateway.
func groups(p *analyze.Pass) groupOf {
	byKey, of, order := map[string]*group{}, groupOf{}, []*group(nil)
	for _, gw := range p.Gateways() {
		g := &group{selector: gw.Spec.GetSelector(), scope: p.GatewayScope(gw.Namespace), near: map[*group]bool{}}
		if known := byKey[g.key(g.selector)]; known != nil {
			g = known
		} else {
			byKey[g.key(g.selector)] = g
			order = append(order, g)
			g.near[g] = true
		}
		of[gw.Object] = g
	}
	on := map[*mesh.Workload][]*group{}
	for _, g := range order {
		// What a selector picks, every part of it picks as well: true whether or
		// not the input holds the workloads.
		for _, part := range parts(g.selector) {
			if other := byKey[g.key(part)]; other != nil {
				g.meets(other)
			}
		}
		if len(g.selector) == 0 {
			continue
		}
		for _, w := range p.Select(g.scope, g.selector) {
			for _, other := range on[w] {
				g.meets(other)
			}
			on[w] = append(on[w], g)
		}
	}
	return of
}

func (g *group) key(labels map[string]string) string { return g.scope + "/" + selector.Text(labels) }

func (g *group) meets(other *group) { g.near[other], other.near[g] = true, true }

// parts are all selectors made of some of the labels, the empty one included;
// of very long selectors only the empty one.
func parts(labels map[string]string) []map[string]string {
	all := []map[string]string{{}}
	if len(labels) > 6 {
		return all
	}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		for _, part := range all[:len(all):len(all)] {
			longer := maps.Clone(part)
			longer[k] = labels[k]
			all = append(all, longer)
		}
	}
	return all
}

// claim is one host on one port that a server of a Gateway asks for.
type claim struct {
	gateway *mesh.Object
	server  *networking.Server
	at      mesh.Location
}

// claims are what the Gateways of one group claim of one spot.
type claims struct {
	all       []claim // the first of each Gateway
	plain     int     // servers of plain HTTP
	redirects int     // servers that redirect to HTTPS
}

func (c *claims) add(new claim) {
	if n := len(c.all); n > 0 && c.all[n-1].gateway == new.gateway {
		return
	}
	c.all = append(c.all, new)
	if isPlain(new.server) {
		c.plain++
	}
	if redirects(new.server) {
		c.redirects++
	}
}
