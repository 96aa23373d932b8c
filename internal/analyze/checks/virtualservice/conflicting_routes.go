package virtualservice

import (
	"fmt"
	"slices"
	"strconv"
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
		routes := map[*mesh.Object]map[string][]claimant{} // of each, by gateway
		for _, r := range rivalries(p) {
			byMatch := map[string][]claimant{}
			var order []string
			for _, vs := range r.all {
				if routes[vs.Object] == nil {
					routes[vs.Object] = map[string][]claimant{}
				}
				claims, known := routes[vs.Object][r.gateway]
				if !known {
					claims = claimed(p, vs, r.gateway)
					routes[vs.Object][r.gateway] = claims
				}
				for _, c := range claims {
					if byMatch[c.match] == nil {
						order = append(order, c.match)
					}
					byMatch[c.match] = append(byMatch[c.match], c)
				}
			}
			reported := map[*mesh.Object]bool{}
			for _, match := range order {
				if len(byMatch[match]) > 1 {
					contested(p, r, byMatch[match], reported)
				}
			}
		}
	},
}

// rivalry is of VirtualServices that route the same hosts at one gateway.
type rivalry struct {
	gateway string
	hosts   []string
	all     []*mesh.Resource[*networking.VirtualService]
}

// rivalries are the hosts that several VirtualServices route, those of the same
// VirtualServices together: ten thousand hosts are one matter, not as many.
func rivalries(p *analyze.Pass) []*rivalry {
	type door struct{ gateway, host string }
	at := map[door][]*mesh.Resource[*networking.VirtualService]{}
	var doors []door
	for _, vs := range p.VirtualServices() {
		for _, gateway := range vs.Spec.GetGateways() {
			if gateway == mesh.MeshGateway || len(vs.Spec.GetHttp()) == 0 {
				continue
			}
			for _, host := range vs.Spec.GetHosts() {
				key := door{full(gateway, vs.Namespace), p.FQDN(host, vs.Namespace)}
				if at[key] == nil {
					doors = append(doors, key)
				}
				if n := len(at[key]); n == 0 || at[key][n-1] != vs {
					at[key] = append(at[key], vs)
				}
			}
		}
	}
	var all []*rivalry
	same := map[string]*rivalry{}
	for _, d := range doors {
		if len(at[d]) < 2 {
			continue
		}
		key := d.gateway
		for _, vs := range at[d] {
			key += " " + vs.Namespace + "/" + vs.Name
		}
		if same[key] == nil {
			same[key] = &rivalry{gateway: d.gateway, all: at[d]}
			all = append(all, same[key])
		}
		same[key].hosts = append(same[key].hosts, d.host)
	}
	return all
}

// claimant is a route of a VirtualService that wants the requests of a match.
type claimant struct {
	vs            *mesh.Resource[*networking.VirtualService]
	at            mesh.Location
	match, action string
}

// full is a Gateway's name with its namespace.
func full(gateway, namespace string) string {
	if strings.Contains(gateway, "/") {
		return gateway
	}
	return namespace + "/" + gateway
}

// claimed are the requests that a VirtualService wants at one of its gateways.
func claimed(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService], gateway string) []claimant {
	var all []claimant
	own := map[string]bool{}
	add := func(match string, at mesh.Location, action string) {
		if !own[match] { // the same match twice in one VirtualService is another check's
			own[match] = true
			all = append(all, claimant{vs, at, match, action})
		}
	}
	isThis := func(name string) bool { return full(name, vs.Namespace) == gateway }
	for i, route := range vs.Spec.GetHttp() {
		if route.GetDelegate() != nil {
			continue // what counts is the delegate's match
		}
		action := actionOf(p, route, vs.Namespace)
		if len(route.GetMatch()) == 0 {
			add("", vs.At("spec.http[%d]", i), action)
		}
		for j, m := range route.GetMatch() {
			if len(m.GetGateways()) == 0 || slices.ContainsFunc(m.GetGateways(), isThis) {
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
// input does not say which is older. Each VirtualService is reported once.
func contested(p *analyze.Pass, r *rivalry, rivals []claimant, reported map[*mesh.Object]bool) {
	var all []*mesh.Resource[*networking.VirtualService]
	for _, c := range rivals {
		all = append(all, c.vs)
	}
	oldest := mesh.Oldest(all)
	for i, c := range rivals {
		j := (i + 1) % len(rivals)
		if oldest != nil {
			j = slices.IndexFunc(rivals, func(other claimant) bool { return other.vs.Object == oldest.Object })
		}
		other := rivals[j]
		if i == j || reported[c.vs.Object] || c.action == other.action || !seenTogether(p, c.vs, other.vs) {
			continue
		}
		reported[c.vs.Object] = true
		what := "has a route with the same match"
		if c.match == "" {
			what = "has a route for all requests too"
		}
		p.Report(c.at, "another VirtualService for %s at Gateway %q %s: the oldest counts", someHosts(r.hosts), r.gateway, what).
			Evidence(other.at, "wants the same requests").
			Suggest("merge them into one VirtualService, or make the matches exclusive")
	}
}

func someHosts(hosts []string) string {
	switch len(hosts) {
	case 1:
		return strconv.Quote(hosts[0])
	case 2:
		return fmt.Sprintf("%q and %q", hosts[0], hosts[1])
	}
	return fmt.Sprintf("%q and %d more hosts", hosts[0], len(hosts)-1)
}

// seenTogether says whether gateways see both VirtualServices, wherever they run.
func seenTogether(p *analyze.Pass, a, b *mesh.Resource[*networking.VirtualService]) bool {
	seen := func(vs *mesh.Resource[*networking.VirtualService], from string) bool {
		return p.Visible(mesh.VirtualService, vs.Spec.GetExportTo(), vs.Namespace, from)
	}
	return seen(a, "") && seen(b, "") || a.Namespace == b.Namespace && seen(a, a.Namespace) && seen(b, a.Namespace)
}
