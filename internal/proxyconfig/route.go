package proxyconfig

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// RoutesPath is the admin request for what [ReadRoutes] reads.
const RoutesPath = "/config_dump?mask=dynamic_route_configs,static_route_configs"

// RouteConfig is one table of routes, by the name that listeners refer to.
type RouteConfig struct {
	Name  string `json:"name"`
	State string `json:"state"` // dynamic or static
	Hosts []Host `json:"virtualHosts"`
	// Config is Envoy's own JSON.
	Config json.RawMessage `json:"config,omitempty"`
}

// Host is one virtual host of a route table.
type Host struct {
	Name    string   `json:"name"`
	Domains []string `json:"domains"`
	Routes  []Route  `json:"routes"`
}

// Route is one route; Envoy takes the first of a host that matches.
type Route struct {
	Name  string `json:"name,omitempty"`
	Match string `json:"match"`
	// Destination is the cluster or clusters, the redirect, or the status.
	Destination string `json:"destination"`
	// VirtualService is name.namespace of the object it comes from.
	VirtualService string `json:"virtualService,omitempty"`
	// Owner is the Istio object it comes from, as Kind/name.namespace.
	Owner   string `json:"owner,omitempty"`
	Timeout string `json:"timeout,omitempty"`
	Retries string `json:"retries,omitempty"`
	// Actions are what else happens to the request: rewrite, mirror, headers,
	// fault and other filters that the route sets up.
	Actions     []string `json:"actions"`
	passthrough bool
}

// RouteFilter chooses route tables.
type RouteFilter struct {
	Name string
}

// RouteList is the result of proxy-config route.
type RouteList struct {
	Proxy  string        `json:"proxy"`
	Routes []RouteConfig `json:"routes"`
	// Brief shows one row per table instead of one per route.
	Brief bool `json:"-"`
}

// ReadRoutes reads the route tables of a dump that f chooses.
func ReadRoutes(s Source, f RouteFilter) (*RouteList, error) {
	l := &RouteList{Proxy: s.Name, Routes: []RouteConfig{}}
	if err := s.read(l.part(f)); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *RouteList) part(f RouteFilter) part {
	read := func(state string) Field {
		return func(e Element) error {
			if f.Name != "" {
				var w struct {
					Routes struct {
						Name string `json:"name"`
					} `json:"route_config"`
				}
				if err := e.decode(&w); err != nil || w.Routes.Name != f.Name {
					return err
				}
			}
			var w struct {
				Routes wireRoutes `json:"route_config"`
			}
			if err := e.decode(&w); err != nil {
				return err
			}
			config, err := e.config("route_config")
			l.Routes = append(l.Routes, RouteConfig{Name: w.Routes.Name, State: state, Hosts: w.Routes.hosts(), Config: config})
			return err
		}
	}
	return part{
		sections: []string{"RoutesConfigDump"},
		fields: map[string]Field{
			"static_route_configs":  read("static"),
			"dynamic_route_configs": read("dynamic"),
		},
		done: func() error {
			slices.SortStableFunc(l.Routes, func(a, b RouteConfig) int { return compareRouteNames(a.Name, b.Name) })
			return nil
		},
	}
}

// compareRouteNames puts names that are ports first, by number.
func compareRouteNames(a, b string) int {
	na, errA := strconv.Atoi(a)
	nb, errB := strconv.Atoi(b)
	switch {
	case errA == nil && errB == nil:
		return na - nb
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// DocumentKind is the kind of the JSON and YAML document.
func (*RouteList) DocumentKind() string { return "ProxyRoutes" }

// Tables is one row per route, in the order in which Envoy tries them.
func (l *RouteList) Tables(wide bool) []output.Table {
	if l.Brief {
		return []output.Table{l.brief()}
	}
	t := output.Table{
		Columns: []string{"NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"},
		Empty:   "No routes found.",
	}
	if wide {
		t.Columns = append(t.Columns, "DESTINATION", "TIMEOUT", "RETRIES", "ACTIONS", "OWNER")
	}
	for _, config := range l.Routes {
		for _, host := range config.Hosts {
			t.Rows = append(t.Rows, host.rows(config.Name, wide)...)
		}
	}
	return []output.Table{t}
}

func (h *Host) rows(table string, wide bool) [][]string {
	domains := shortDomains(h.Domains)
	if wide {
		domains = strings.Join(h.Domains, ",")
	}
	if len(h.Routes) == 0 {
		row := []string{table, h.Name, domains, "/*", "404"}
		if wide {
			row = append(row, "status 404", "-", "-", "-", "-")
		}
		return [][]string{row}
	}
	var rows [][]string
	for i := range h.Routes {
		r := &h.Routes[i]
		if r.passthrough && !wide {
			continue
		}
		row := []string{table, h.Name, domains, r.Match, r.VirtualService}
		if wide {
			row = append(row, r.Destination, orDash(r.Timeout), orDash(r.Retries), orDash(strings.Join(r.Actions, ", ")), orDash(r.Owner))
		}
		rows = append(rows, row)
	}
	return rows
}

func (l *RouteList) brief() output.Table {
	t := output.Table{Columns: []string{"NAME", "VIRTUAL HOSTS"}, Empty: "No routes found."}
	for _, config := range l.Routes {
		t.Rows = append(t.Rows, []string{config.Name, strconv.Itoa(len(config.Hosts))})
	}
	return t
}

func addressLast(domain string) int {
	if _, err := netip.ParseAddr(domain); err == nil {
		return 1
	}
	return 0
}

// shortDomains leaves out what follows from another domain, the same with a
// port or with more of the cluster's suffix, and names the first two: short
// names first, addresses last.
func shortDomains(domains []string) string {
	var short []string
	for _, d := range domains {
		implied := slices.ContainsFunc(domains, func(other string) bool {
			rest, ok := strings.CutPrefix(d, other)
			return ok && rest != "" && (rest[0] == ':' || rest == "." || rest == ".svc" || strings.HasPrefix(rest, ".svc."))
		})
		if !implied {
			short = append(short, d)
		}
	}
	slices.SortStableFunc(short, func(a, b string) int {
		return cmp.Or(cmp.Compare(addressLast(a), addressLast(b)), cmp.Compare(len(a), len(b)))
	})
	if len(short) > 2 {
		return fmt.Sprintf("%s, %s + %d more", short[0], short[1], len(short)-2)
	}
	return strings.Join(short, ", ")
}
