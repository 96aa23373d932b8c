package proxyconfig

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// ListenersPath is the admin request for what [ReadListeners] reads.
const ListenersPath = "/config_dump?mask=dynamic_listeners,static_listeners"

// Listener is an address that the proxy accepts connections on.
type Listener struct {
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
	Port      int      `json:"port,omitempty"`
	Direction string   `json:"direction,omitempty"`
	// Type is HTTP, TCP, HTTP+TCP or UNKNOWN, by its filters.
	Type string `json:"type"`
	// State is active, warming, draining or static.
	State  string        `json:"state"`
	Chains []FilterChain `json:"filterChains"`
	// Rejected is why Envoy refused the last update of it.
	Rejected string          `json:"rejected,omitempty"`
	Config   json.RawMessage `json:"config,omitempty"`
}

// FilterChain is what a listener does with the connections that match.
type FilterChain struct {
	Name        string `json:"name,omitempty"`
	Match       string `json:"match"`
	Destination string `json:"destination"`
	// TLS is how connections are secured: none, tls, or mtls where a client
	// must show a certificate.
	TLS string `json:"tls"`
	// Filters are the network filters, and in their place the HTTP filters, in
	// order, in short: "rbac", "tcp_proxy".
	Filters []string `json:"filters"`
	// Owners are the Istio objects behind it, as Kind/name.namespace.
	Owners []string `json:"owners"`
}

// ListenerFilter chooses listeners; empty members choose all.
type ListenerFilter struct {
	Address string
	Port    int
	// Type is HTTP, TCP, HTTP+TCP or UNKNOWN.
	Type string
}

func (f ListenerFilter) match(l *Listener) bool {
	return (f.Address == "" || slices.Contains(l.Addresses, f.Address)) &&
		(f.Port == 0 || f.Port == l.Port) &&
		(f.Type == "" || strings.EqualFold(f.Type, l.Type))
}

// ListenerList is the result of proxy-config listener.
type ListenerList struct {
	Proxy     string     `json:"proxy"`
	Listeners []Listener `json:"listeners"`
	// Brief shows one row per listener instead of one per filter chain.
	Brief bool `json:"-"`
	// Waypoint names listeners and chains, as waypoints need it, whose listeners
	// have no addresses.
	Waypoint bool `json:"-"`
}

// ReadListeners reads the listeners of a dump that f chooses.
func ReadListeners(s Source, f ListenerFilter) (*ListenerList, error) {
	l := &ListenerList{Proxy: s.Name, Listeners: []Listener{}}
	if err := s.read(l.part(f)); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *ListenerList) part(f ListenerFilter) part {
	add := func(one Listener, e Element, names ...string) (err error) {
		if f.match(&one) {
			one.Config, err = e.config(names...)
			l.Listeners = append(l.Listeners, one)
		}
		return err
	}
	return part{
		sections: []string{"ListenersConfigDump"},
		fields: map[string]Field{
			"static_listeners": func(e Element) error {
				var w wireListenerState
				if err := e.decode(&w); err != nil {
					return err
				}
				return add(w.Listener.listener("static"), e, "listener")
			},
			"dynamic_listeners": func(e Element) error {
				var w wireDynamicListener
				if err := e.decode(&w); err != nil {
					return err
				}
				one, state := w.listener()
				return add(one, e, state, "listener")
			},
		},
		done: func() error {
			slices.SortStableFunc(l.Listeners, func(a, b Listener) int {
				return cmp.Or(a.Port-b.Port, strings.Compare(strings.Join(a.Addresses, ","), strings.Join(b.Addresses, ",")), strings.Compare(a.Type, b.Type))
			})
			return nil
		},
	}
}

// DocumentKind is the kind of the JSON and YAML document.
func (*ListenerList) DocumentKind() string { return "ProxyListeners" }

// Tables is one row per filter chain, in the order in which Envoy has them.
func (l *ListenerList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"ADDRESSES", "PORT", "MATCH", "DESTINATION"},
		Empty:   "No listeners found.",
		After:   l.rejections(),
	}
	switch {
	case l.Brief:
		t.Columns = []string{"ADDRESSES", "PORT", "TYPE"}
	case l.Waypoint:
		t.Columns = []string{"LISTENER", "CHAIN", "MATCH", "DESTINATION"}
	}
	if wide {
		t.Columns = append(t.Columns, "NAME", "DIRECTION", "STATE")
		if !l.Brief {
			t.Columns = append(t.Columns, "TLS", "OWNER", "FILTERS")
		}
	}
	for i := range l.Listeners {
		t.Rows = append(t.Rows, l.rows(&l.Listeners[i], wide)...)
	}
	return []output.Table{t}
}

func (l *ListenerList) rows(one *Listener, wide bool) [][]string {
	head := []string{strings.Join(one.Addresses, ","), portOr(one.Port, "-")}
	var tail []string
	if wide {
		tail = []string{one.Name, orDash(strings.ToLower(one.Direction)), one.State}
	}
	if l.Brief {
		return [][]string{slices.Concat(head, []string{one.Type}, tail)}
	}
	chains := one.Chains
	if len(chains) == 0 {
		chains = []FilterChain{{Match: "-", Destination: "-"}}
	}
	var rows [][]string
	for i := range chains {
		c := &chains[i]
		if l.Waypoint {
			head = []string{"envoy://" + one.Name, c.Name}
		}
		row := slices.Concat(head, []string{c.Match, c.Destination}, tail)
		if wide {
			row = append(row, orDash(c.TLS), orDash(strings.Join(c.Owners, ",")), orDash(strings.Join(c.Filters, ",")))
		}
		rows = append(rows, row)
	}
	return rows
}

func (l *ListenerList) rejections() []string {
	var lines []string
	for i := range l.Listeners {
		if one := &l.Listeners[i]; one.Rejected != "" {
			lines = append(lines, "", "Envoy refused the last update of listener "+one.Name+":", "  "+oneLine(one.Rejected))
		}
	}
	return lines
}
