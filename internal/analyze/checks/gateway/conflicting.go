package gateway

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Conflicting finds Gateways that want the same host on the same port of the
// same workloads.
var Conflicting = &analyze.Check{
	Code: "IST0145", Name: "conflicting-gateways", Severity: analyze.Error, KIA: "KIA0301",
	Reads: []mesh.Kind{mesh.Gateway},
	Uses:  mesh.WorkloadKinds(),
	Doc: analyze.Doc{
		What: "Several Gateways claim the same host on the same port and address of the same gateway workloads.",
		Why:  "For TLS and TCP the oldest server wins and the others are dropped as a whole, with all their hosts and certificates: clients get the wrong certificate, or no answer. Servers of plain HTTP are merged, which works as long as they agree.",
		Fix:  "Keep the host in one Gateway, and let VirtualServices of all namespaces name that one; or give the Gateways workloads, ports or hosts of their own.",
	},
	Run: func(p *analyze.Pass) {
		of := groups(p)
		there := field{bySpot: allClaims(p, of), known: map[groupSpot]rivals{}}
		for _, gw := range p.Gateways() {
			for i, server := range gw.Spec.GetServers() {
				for j, s := range spotsOf(server) {
					c := claim{gw.Object, server, gw.At("spec.servers[%d].hosts[%d]", i, j)}
					if clash(p, s, c, there.rivalsOf(c, groupSpot{of[gw.Object], s})) {
						break // one finding for a server
					}
				}
			}
		}
	},
}

// rivals are the claims of other Gateways on a spot, for the same workloads.
type rivals struct {
	count, plain, redirects int
	first                   []claim // at most three
}

// groupSpot is a spot as the Gateways of one group see it.
type groupSpot struct {
	*group
	spot
}

// field is who claims what; known remembers the claims that a group sees.
type field struct {
	bySpot map[spot]map[*group]*claims
	known  map[groupSpot]rivals
}

// rivalsOf looks at groups, not at every Gateway: thousands may share a spot.
func (f field) rivalsOf(c claim, at groupSpot) rivals {
	r, ok := f.known[at]
	if !ok {
		r = f.claimants(at)
		f.known[at] = r
	}
	first := r.first
	r.first = nil
	for _, other := range first {
		if other.gateway != c.gateway && len(r.first) < 3 {
			r.first = append(r.first, other)
		}
	}
	r.count-- // c itself
	return r
}

// claimants are all claims on a spot that the group meets there; first are four
// of them, so that three are left without any one.
func (f field) claimants(at groupSpot) rivals {
	var r rivals
	there := f.bySpot[at.spot]
	add := func(group *group) {
		if claimed := there[group]; claimed != nil && at.near[group] {
			r.count += len(claimed.all)
			r.plain += claimed.plain
			r.redirects += claimed.redirects
			r.first = append(r.first, claimed.all[:min(4, len(claimed.all))]...)
		}
	}
	if len(there) < len(at.near) {
		for group := range there {
			add(group)
		}
	} else {
		for group := range at.near {
			add(group)
		}
	}
	slices.SortFunc(r.first, func(a, b claim) int { return a.gateway.Compare(b.gateway.Ref) })
	r.first = r.first[:min(4, len(r.first))]
	return r
}

// clash reports a server whose host others claim too.
func clash(p *analyze.Pass, s spot, c claim, r rivals) bool {
	if r.count == 0 {
		return false
	}
	what := fmt.Sprintf("host %q on port %d", s.host, s.port)
	if s.bind != "" {
		what += " of " + s.bind
	}
	gateways := "another Gateway"
	if r.count > 1 {
		gateways = fmt.Sprintf("%d other Gateways", r.count)
	}
	var f *analyze.Finding
	switch all := r.count + 1; {
	case r.plain == all && r.redirects == 0:
		f = p.Report(c.at, "%s is claimed by %s too: their routes are served together", what, gateways).As(analyze.Info)
	case r.plain == all && r.redirects < all:
		f = p.Report(c.at, "%s is claimed by %s too, and they do not agree on httpsRedirect", what, gateways).As(analyze.Warning)
	default:
		f = p.Report(c.at, "%s is claimed by %s too: the oldest gets it, and the others' servers are dropped", what, gateways)
	}
	for _, other := range r.first {
		f.Evidence(other.at, "claims it for the same workloads")
	}
	if s.host == "*" {
		f.Suggest("keep the server in one Gateway, and let the VirtualServices of all namespaces name that one")
	} else {
		f.Suggest("keep %q in one Gateway, and let the VirtualServices of all namespaces name that one", s.host)
	}
	return true
}
