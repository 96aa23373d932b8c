package virtualservice

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ConflictingRoutes finds VirtualServices of a gateway that want the same
// requests. Several for one host as such are fine: gateways merge them.
var ConflictingRoutes = &analyze.Check{
	Code: "MSH0503", Name: "conflicting-gateway-routes", Severity: analyze.Warning, KIA: "KIA1106",
	Reads: []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "Two VirtualServices for the same host at the same Gateway have a route with the same match, or both one without match, and the routes differ.",
		Why:  "Gateways put the routes of all VirtualServices for a host behind each other, those of the oldest first and those without match last. Of two with the same match the younger one's is never used; and when the older is created again, the traffic moves.",
		Fix:  "Merge the routes into one VirtualService, or make the matches exclusive.",
	},
	Run: func(p *analyze.Pass) {
		demands := map[demand][]claimant{}
		var order []demand
		several := shared(p)
		for _, vs := range p.VirtualServices() {
			for _, gateway := range vs.Spec.GetGateways() {
				for _, c := range claimed(p, vs, gateway, several) {
					if demands[c.demand] == nil {
						order = append(order, c.demand)
					}
					demands[c.demand] = append(demands[c.demand], c)
				}
			}
		}
		reported := map[string]bool{}
		for _, key := range order {
			if rivals := demands[key]; len(rivals) > 1 {
				contested(p, rivals, reported)
			}
		}
	},
}

// demand is a set of requests that arrive at a Gateway.
type demand struct{ gateway, host, match string }

// claimant is a route of a VirtualService that wants them.
type claimant struct {
	demand
	vs     *mesh.Resource[*networking.VirtualService]
	at     mesh.Location
	action string
}

// shared are the hosts that several VirtualServices route at a Gateway, with an
// empty match.
func shared(p *analyze.Pass) map[demand]bool {
	several := map[demand]bool{} // false for those that only one has
	for _, vs := range p.VirtualServices() {
		for _, gateway := range vs.Spec.GetGateways() {
			if gateway == mesh.MeshGateway || len(vs.Spec.GetHttp()) == 0 {
				continue
			}
			for _, host := range vs.Spec.GetHosts() {
				key := demand{full(gateway, vs.Namespace), p.FQDN(host, vs.Namespace), ""}
				_, again := several[key]
				several[key] = again
			}
		}
	}
	return several
}

// full is a Gateway's name with its namespace.
func full(gateway, namespace string) string {
	if strings.Contains(gateway, "/") {
		return gateway
	}
	return namespace + "/" + gateway
}

// claimed are the requests that a VirtualService wants at one of its gateways,
// for hosts that others route there too.
func claimed(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService], gateway string, several map[demand]bool) []claimant {
	name := full(gateway, vs.Namespace)
	var hosts []string
	for _, host := range vs.Spec.GetHosts() {
		if fqdn := p.FQDN(host, vs.Namespace); several[demand{name, fqdn, ""}] {
			hosts = append(hosts, fqdn)
		}
	}
	if len(hosts) == 0 {
		return nil
	}
	var all []claimant
	own := map[demand]bool{}
	add := func(match string, at mesh.Location, action string) {
		for _, host := range hosts {
			c := demand{name, host, match}
			if !own[c] { // the same match twice in one VirtualService is another check's
				own[c] = true
				all = append(all, claimant{c, vs, at, action})
			}
		}
	}
	for i, route := range vs.Spec.GetHttp() {
		if route.GetDelegate() != nil {
			continue // what counts is the delegate's match
		}
		action := actionOf(p, route, vs.Namespace)
		if len(route.GetMatch()) == 0 {
			add("", vs.At("spec.http[%d]", i), action)
		}
		for j, m := range route.GetMatch() {
			if len(m.GetGateways()) == 0 || slices.Contains(m.GetGateways(), gateway) {
				add(canonical(m), vs.At("spec.http[%d].match[%d]", i, j), action)
			}
		}
	}
	return all
}

// canonical is a match as text, the same for all that match the same
// requests at one gateway; empty for one that matches all.
func canonical(m *networking.HTTPMatchRequest) string {
	c := proto.Clone(m).(*networking.HTTPMatchRequest)
	c.Name, c.Gateways, c.StatPrefix, c.IgnoreUriCase = "", nil, "", m.GetIgnoreUriCase() && m.GetUri() != nil
	if c.GetUri().GetPrefix() == "/" || c.GetUri().GetRegex() == ".*" {
		c.Uri, c.IgnoreUriCase = nil, false
	}
	return text(c)
}

// actionOf is what a route of a namespace does, as text.
func actionOf(p *analyze.Pass, route *networking.HTTPRoute, namespace string) string {
	c := proto.Clone(route).(*networking.HTTPRoute)
	c.Name, c.Match = "", nil
	for _, r := range mesh.Routes(&networking.VirtualService{Http: []*networking.HTTPRoute{c}}) {
		r.Destination.Host = p.FQDN(r.Destination.GetHost(), namespace)
	}
	return text(c)
}

func text(m proto.Message) string {
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return fmt.Sprintf("%p", m)
	}
	return string(bytes)
}

// contested reports the routes that an older one hides; all of them when the
// input does not say which is older.
func contested(p *analyze.Pass, rivals []claimant, reported map[string]bool) {
	var all []*mesh.Resource[*networking.VirtualService]
	for _, r := range rivals {
		all = append(all, r.vs)
	}
	oldest := mesh.Oldest(all)
	for i, r := range rivals {
		j := (i + 1) % len(rivals)
		if oldest != nil {
			j = slices.IndexFunc(rivals, func(other claimant) bool { return other.vs.Object == oldest.Object })
		}
		other := rivals[j]
		key := r.vs.String() + " " + r.host
		if i == j || reported[key] || r.action == other.action || !seenTogether(p, r.vs, other.vs) {
			continue
		}
		reported[key] = true
		what := "has a route with the same match"
		if r.match == "" {
			what = "has a route for all requests too"
		}
		p.Report(r.at, "another VirtualService for %q at Gateway %q %s: the oldest counts", r.host, r.gateway, what).
			Evidence(other.at, "wants the same requests").
			Suggest("merge them into one VirtualService, or make the matches exclusive")
	}
}

// seenTogether says whether gateways see both VirtualServices, wherever they run.
func seenTogether(p *analyze.Pass, a, b *mesh.Resource[*networking.VirtualService]) bool {
	seen := func(vs *mesh.Resource[*networking.VirtualService], from string) bool {
		return p.Visible(mesh.VirtualService, vs.Spec.GetExportTo(), vs.Namespace, from)
	}
	return seen(a, "") && seen(b, "") || a.Namespace == b.Namespace && seen(a, a.Namespace) && seen(b, a.Namespace)
}
