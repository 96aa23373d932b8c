package trace

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// RoutesPath is the admin request for what [ReadRoutes] reads.
const RoutesPath = "/config_dump"

// RouteListing is every route of a proxy in the order in which Envoy tries
// them, or those that requests for one host meet.
type RouteListing struct {
	Proxy string `json:"proxy"`
	// Host is the one that was asked for.
	Host   string        `json:"host,omitempty"`
	Served []ServedTable `json:"tables"`
}

// ServedTable is a table of routes and the listener that uses it.
type ServedTable struct {
	// Listener is "" for a table that no listener uses.
	Listener string `json:"listener,omitempty"`
	Port     int    `json:"port,omitempty"`
	Name     string `json:"routeTable,omitempty"`
	// TLS is how the connections come; nil is plain text.
	TLS *ServedTLS `json:"tls,omitempty"`
	// Hosts are tried by how exactly their domains fit, and stand in that order.
	Hosts []ServedHost `json:"virtualHosts"`
}

// ServedTLS is what a filter chain does with TLS.
type ServedTLS struct {
	// ServerNames are the SNIs that get there; empty is any.
	ServerNames []string `json:"serverNames"`
	// Mode is SIMPLE, MUTUAL, OPTIONAL_MUTUAL, ISTIO_MUTUAL or PASSTHROUGH, as in a Gateway.
	Mode string `json:"mode"`
	// Credential is the secret's name as Envoy asks for it.
	Credential string `json:"credential,omitempty"`
}

// ServedHost is a virtual host.
type ServedHost struct {
	Name    string        `json:"name"`
	Domains []string      `json:"domains"`
	Routes  []ServedRoute `json:"routes"`
}

// ServedRoute is a route.
type ServedRoute struct {
	// Order counts the routes of the host, from 1.
	Order int    `json:"order"`
	Name  string `json:"name,omitempty"`
	Match string `json:"match"`
	// Kind is forward, redirect, direct-response, or tcp.
	Kind string `json:"kind"`
	// Destination is where it leads, for people.
	Destination string          `json:"destination"`
	Clusters    []ServedCluster `json:"clusters"`
	// Rewrite is the host and path that the server gets instead.
	Rewrite string   `json:"rewrite,omitempty"`
	Timeout string   `json:"timeout,omitempty"`
	Retries string   `json:"retries,omitempty"`
	Owner   Resource `json:"owner,omitzero"`
	// Unreachable says which route before takes all that this one would.
	Unreachable string `json:"unreachable,omitempty"`
}

// ServedCluster is a cluster that a route leads to.
type ServedCluster struct {
	Name string `json:"name"`
	// Host, Port and Subset are what istiod's name for the cluster says.
	Host   string `json:"host,omitempty"`
	Port   string `json:"port,omitempty"`
	Subset string `json:"subset,omitempty"`
	// Share is in per cent.
	Share float64 `json:"share"`
}

// ReadRoutes lists the routes of a dump. With a host it is only what requests
// for it meet, by Envoy's choice of virtual hosts and, for TLS, of filter chains.
func ReadRoutes(s proxyconfig.Source, host string) (*RouteListing, error) {
	d := newDump(s.Name)
	if err := s.Each([]string{"RoutesConfigDump", "ListenersConfigDump"}, d.fields()); err != nil {
		return nil, err
	}
	return d.listRoutes(strings.ToLower(host))
}

func (d *Dump) listRoutes(host string) (*RouteListing, error) {
	l := &RouteListing{Proxy: d.Name, Host: host, Served: []ServedTable{}}
	used := map[string]bool{}
	for _, listener := range d.listeners {
		if listener.raw == nil {
			continue
		}
		tables, err := d.listListener(listener, host, used)
		if err != nil {
			return nil, hint.Unanswerablef("", "reading %s: %w", d.Name, err)
		}
		l.Served = append(l.Served, tables...)
	}
	for name, raw := range d.routes {
		if used[name] || name == "" {
			continue
		}
		t := ServedTable{Name: name}
		if err := t.read(raw, host); err != nil {
			return nil, hint.Unanswerablef("", "reading %s: %w", d.Name, err)
		}
		l.Served = append(l.Served, t)
	}
	slices.SortStableFunc(l.Served, func(a, b ServedTable) int {
		return cmp.Or(cmp.Compare(noPortLast(a.Port), noPortLast(b.Port)), strings.Compare(a.Listener, b.Listener),
			strings.Compare(a.sortName(), b.sortName()))
	})
	l.Served = slices.CompactFunc(l.Served, sameTable)
	if host != "" {
		l.Served = slices.DeleteFunc(l.Served, func(t ServedTable) bool { return len(t.Hosts) == 0 })
	}
	return l, nil
}

func noPortLast(port int) int {
	if port == 0 {
		return 1 << 20
	}
	return port
}

// sortName puts whole server names before wildcards, and these before any.
func (t *ServedTable) sortName() string {
	if t.TLS == nil || len(t.TLS.ServerNames) == 0 {
		return "3 " + t.Name
	}
	names := strings.Join(t.TLS.ServerNames, ",")
	if strings.HasPrefix(names, "*") {
		return "2 " + names + " " + t.Name
	}
	return "1 " + names + " " + t.Name
}

// sameTable says whether two filter chains of a listener differ in nothing
// that is shown: istiod makes one each for TLS and plain text.
func sameTable(a, b ServedTable) bool {
	return a.Listener == b.Listener && a.Port == b.Port && a.Name == b.Name && a.Name != "" &&
		(a.TLS == nil || len(a.TLS.ServerNames) == 0) && (b.TLS == nil || len(b.TLS.ServerNames) == 0)
}

// listListener lists the tables of a listener's filter chains.
func (d *Dump) listListener(l *listener, host string, used map[string]bool) ([]ServedTable, error) {
	body, err := l.body()
	if err != nil {
		return nil, err
	}
	chains := slices.Clip(body.Chains)
	if body.Default != nil {
		chains = append(chains, body.Default)
	}
	best := bestChain(chains, host)
	var tables []ServedTable
	for _, c := range chains {
		t := ServedTable{Listener: l.Name, Port: c.port(l), TLS: c.servedTLS()}
		shown := host == "" || best >= 0 && sniRank(c.Match.ServerNames, host) == best
		raw, name, found := d.tableOf(c)
		if name != "" {
			used[name] = true
		}
		switch {
		case !shown:
			continue
		case found:
			t.Name = name
			if err := t.read(raw, host); err != nil {
				return nil, err
			}
		case len(c.Match.ServerNames) > 0 && c.Transport == nil:
			t.TLS = &ServedTLS{ServerNames: c.Match.ServerNames, Mode: "PASSTHROUGH"}
			t.passthrough(c)
		default:
			continue
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// port is the one that connections of the chain are made to.
func (c *chain) port(l *listener) int {
	if c.Match.Port != nil && *c.Match.Port != 0 {
		return *c.Match.Port
	}
	if len(l.addresses) > 0 {
		return l.addresses[0].port()
	}
	return 0
}

// tableOf is the table of the chain's connection manager; found is false when
// the chain has none.
func (d *Dump) tableOf(c *chain) (raw json.RawMessage, name string, found bool) {
	for i := range c.Filters {
		f := &c.Filters[i]
		if !strings.HasSuffix(shortType(f.typeURL()), ".HttpConnectionManager") {
			continue
		}
		if name = textOf(member(f.Config, "rds", "route_config_name")); name != "" {
			return d.routes[name], name, true
		}
		raw = member(f.Config, "route_config")
		return raw, textOf(member(raw, "name")), true
	}
	return nil, "", false
}

// read takes the hosts of a table: all of them, or the one that requests for
// host get. A table that is not there has none.
func (t *ServedTable) read(raw json.RawMessage, host string) error {
	t.Hosts = []ServedHost{}
	if raw == nil {
		return nil
	}
	var table routeTable
	if err := json.Unmarshal(raw, &table); err != nil {
		return fmt.Errorf("reading route table %s: %w", t.Name, err)
	}
	hosts := table.Hosts
	if host != "" {
		pick := table.pickHost(host)
		if pick.host == nil && portStart(host) == len(host) {
			pick = table.pickHost(fmt.Sprintf("%s:%d", host, t.Port))
		}
		if pick.host == nil {
			return nil
		}
		hosts = []virtualHost{*pick.host}
	}
	slices.SortStableFunc(hosts, func(a, b virtualHost) int { return cmp.Compare(b.exactness(), a.exactness()) })
	for i := range hosts {
		one, err := hosts[i].served()
		if err != nil {
			return err
		}
		t.Hosts = append(t.Hosts, one)
	}
	return nil
}

// exactness orders hosts as Envoy looks for them: whole names, then wildcards,
// the longest first, then *.
func (h *virtualHost) exactness() int {
	best := -1
	for _, d := range h.Domains {
		switch {
		case d == "*":
			best = max(best, rankAny)
		case strings.HasPrefix(d, "*"):
			best = max(best, rankSuffix+len(d))
		case strings.HasSuffix(d, "*"):
			best = max(best, rankPrefix+len(d))
		default:
			best = max(best, rankExact)
		}
	}
	return best
}
