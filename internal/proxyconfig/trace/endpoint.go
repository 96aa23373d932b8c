package trace

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// pool is the endpoints of a cluster as its load balancer sees them.
type pool struct {
	list   []Endpoint
	unsure string
	note   string // what there is to say besides
	panics bool
}

func (p *pool) chosen() int {
	n := 0
	for _, e := range p.list {
		if e.Chosen {
			n++
		}
	}
	return n
}

// pool finds the endpoints that the cluster may choose.
func (w *walker) pool(c *cluster) *pool {
	switch c.kind() {
	case "ORIGINAL_DST":
		return w.originalPool(c)
	case "EDS":
		return w.edsPool(c)
	case "STATIC", "STRICT_DNS", "LOGICAL_DNS", "envoy.clusters.dns", "envoy.cluster.logical_dns", "envoy.cluster.strict_dns":
		if c.Assignment == nil {
			return &pool{list: []Endpoint{}}
		}
		return w.assigned(c, c.Assignment)
	}
	return &pool{list: []Endpoint{}, unsure: fmt.Sprintf("cluster %s finds its endpoints by the extension %s", c.Name, c.kind())}
}

// originalPool is the address that the client itself meant.
func (w *walker) originalPool(c *cluster) *pool {
	sec := c.security(nil, nil)
	e := Endpoint{Address: orText(w.destination(), "the original destination"), Port: w.conn.Port, Health: "UNKNOWN", Chosen: true, TLS: sec.text, security: sec}
	p := &pool{list: []Endpoint{e}, note: "where the client connects to"}
	if c.OriginalDst.UseHeader {
		p.note = "the address in header " + orText(c.OriginalDst.Header, "x-envoy-original-dst-host") + ", or that the client connects to"
	}
	if c.OriginalDst.Port != 0 {
		p.list[0].Port = c.OriginalDst.Port
	}
	return p
}

func (w *walker) destination() string {
	if w.conn.Destination.IsValid() {
		return w.conn.Destination.String()
	}
	return ""
}

func (w *walker) edsPool(c *cluster) *pool {
	raw, ok := w.dump.endpoints[c.service()]
	if !ok {
		if _, told := w.dump.status[c.Name]; told {
			return w.assigned(c, nil)
		}
		if !w.dump.hasEndpoints {
			return &pool{list: []Endpoint{}, unsure: "the dump has no endpoints: it was taken without include_eds"}
		}
		return &pool{list: []Endpoint{}}
	}
	a := &assignment{}
	if err := json.Unmarshal(raw, a); err != nil {
		return &pool{list: []Endpoint{}, unsure: fmt.Sprintf("the endpoints of %s cannot be read: %v", c.Name, err)}
	}
	return w.assigned(c, a)
}

// assigned are the endpoints of an assignment, with what /clusters says of
// their health where that was read.
func (w *walker) assigned(c *cluster, a *assignment) *pool {
	p := &pool{list: []Endpoint{}}
	status := w.dump.statusOf(c.Name)
	lb := &balancer{panicBelow: c.Common.panicBelow(), factor: 140, byLocality: unread(c.Common.Locality) || string(c.Common.Locality) == "{}"}
	if a == nil {
		a = status.assignment()
	}
	if a.Policy.Overprovision > 0 {
		lb.factor = a.Policy.Overprovision
	}
	for gi := range a.Groups {
		g := &a.Groups[gi]
		for ei := range g.Endpoints {
			e := &g.Endpoints[ei]
			addr := e.Endpoint.Address
			sec := c.security(e, g)
			item := Endpoint{
				Address: addr.host(), Port: addr.port(), Health: orText(e.Health, "UNKNOWN"), Priority: g.Priority, Locality: g.Locality.String(),
				Weight: e.Weight, TLS: sec.text, security: sec,
			}
			if ap, ok := addr.tunnelled(); ok {
				item.Address, item.Port = ap.Addr().String(), int(ap.Port())
				item.TLS = "in a tunnel with mutual TLS (HBONE)"
				item.security = security{text: item.TLS, wrapped: "HBONE"}
			}
			if seen := status.health(addr.String()); seen != "" {
				item.Health = seen
			}
			lb.add(&item, g)
			p.list = append(p.list, item)
		}
	}
	if c.Subsets != nil && len(c.Subsets.Selectors) > 0 {
		p.unsure = fmt.Sprintf("cluster %s chooses among its endpoints by metadata", c.Name)
		return p
	}
	lb.choose(p)
	for _, d := range a.Policy.Drop {
		if share := d.Share.percent(); share > 0 {
			p.note = fmt.Sprintf("%g%% are dropped as overload (%s)", share, d.Category)
		}
	}
	return p
}

// tunnelled is the address behind an internal listener, as istiod writes it
// for endpoints that are reached by HBONE.
func (a address) tunnelled() (netip.AddrPort, bool) {
	if a.Internal == nil {
		return netip.AddrPort{}, false
	}
	ap, err := netip.ParseAddrPort(a.Internal.Endpoint)
	return ap, err == nil
}

// host is the address without its port.
func (a address) host() string {
	if a.Socket != nil {
		return a.Socket.Address
	}
	return a.String()
}

func (d *Dump) statusOf(cluster string) *clusterStatus {
	raw, ok := d.status[cluster]
	if !ok {
		return nil
	}
	s := &clusterStatus{}
	if json.Unmarshal(raw, s) != nil {
		return nil
	}
	return s
}

// health is an endpoint's health as this Envoy sees it; "" when it is not told.
func (s *clusterStatus) health(addr string) string {
	if s == nil {
		return ""
	}
	for _, h := range s.Hosts {
		if h.Address.String() != addr {
			continue
		}
		switch {
		case h.Health.Outlier:
			return "EJECTED"
		case h.Health.Active:
			return "UNHEALTHY"
		}
		return h.Health.EDS
	}
	return ""
}

// assignment is what /clusters tells of a cluster whose assignment is not in the dump.
func (s *clusterStatus) assignment() *assignment {
	a := &assignment{}
	if s == nil {
		return a
	}
	for _, h := range s.Hosts {
		e := endpoint{Health: h.Health.EDS, Weight: h.Weight}
		e.Endpoint.Address, e.Endpoint.Hostname = h.Address, h.Hostname
		a.Groups = append(a.Groups, endpointGroup{Locality: h.Locality, Priority: h.Priority, Endpoints: []endpoint{e}})
	}
	return a
}

// step tells the endpoints.
func (p *pool) step(name string) Step {
	s := Step{Name: name, State: OK}
	chosen := p.chosen()
	switch {
	case p.unsure != "":
		s.State, s.Text = Undecided, p.unsure
	case len(p.list) == 0:
		s.State, s.Text = Failed, "the cluster has no endpoints"
	case chosen == 0:
		s.State, s.Text = Failed, fmt.Sprintf("none of %d endpoints takes requests", len(p.list))
	case len(p.list) == 1:
		s.Text = p.list[0].String()
	case chosen == len(p.list):
		s.Text = fmt.Sprintf("one of %d: %s", chosen, p.some(chosen))
	default:
		s.Text = fmt.Sprintf("one of %d of %d: %s", chosen, len(p.list), p.some(chosen))
	}
	if p.panics {
		s.Details = append(s.Details, "too few are healthy: Envoy uses all of them (panic)")
	}
	if p.note != "" {
		s.Details = append(s.Details, p.note)
	}
	for _, e := range p.list {
		if !e.Chosen && len(s.Rejected) < 10 {
			s.Rejected = append(s.Rejected, Candidate{Name: e.hostPort(), Why: e.idle()})
		}
	}
	var kinds []string
	for _, e := range p.list {
		if e.Chosen && e.TLS != "" && p.note == "" && !slices.Contains(kinds, e.TLS) {
			kinds = append(kinds, e.TLS)
		}
	}
	s.Details = append(s.Details, kinds...)
	return s
}

// some names the endpoints that may be chosen, a few of many.
func (p *pool) some(chosen int) string {
	names := make([]string, 0, chosen)
	for _, e := range p.list {
		if e.Chosen {
			names = append(names, e.hostPort())
		}
	}
	return listSome(names, 4)
}

func (e *Endpoint) hostPort() string {
	if e.Port == 0 {
		return e.Address
	}
	return joinHost(e.Address, e.Port)
}

// String is the endpoint with its health and locality.
func (e *Endpoint) String() string {
	parts := []string{e.hostPort()}
	if e.Health != "UNKNOWN" {
		parts = append(parts, strings.ToLower(e.Health))
	}
	if e.Locality != "" {
		parts = append(parts, e.Locality)
	}
	return strings.Join(parts, ", ")
}

// idle is why an endpoint gets nothing.
func (e *Endpoint) idle() string {
	if !takes(e.Health) {
		return "it is " + strings.ToLower(e.Health)
	}
	if e.Priority > 0 {
		return fmt.Sprintf("it has priority %d, and a better one is healthy", e.Priority)
	}
	return "its locality gets no requests"
}

// takes says whether endpoints in this health get requests.
func takes(health string) bool {
	return health == "HEALTHY" || health == "UNKNOWN" || health == "DEGRADED"
}
