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
}

// ReadListeners reads the listeners of a dump that f chooses.
func ReadListeners(s Source, f ListenerFilter) (*ListenerList, error) {
	l := &ListenerList{Proxy: s.Name, Listeners: []Listener{}}
	add := func(one Listener) {
		if f.match(&one) {
			l.Listeners = append(l.Listeners, one)
		}
	}
	err := s.Each([]string{"ListenersConfigDump"}, map[string]Field{
		"static_listeners": func(e Element) error {
			var w wireListenerState
			raw, err := e.Decode(&w, "listener")
			if err == nil {
				one := w.Listener.listener("static")
				one.Config = raw
				add(one)
			}
			return err
		},
		"dynamic_listeners": func(e Element) error {
			var w wireDynamicListener
			raw, err := e.Decode(&w)
			if err == nil {
				add(w.listener(raw))
			}
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(l.Listeners, func(a, b Listener) int {
		return cmp.Or(a.Port-b.Port, strings.Compare(strings.Join(a.Addresses, ","), strings.Join(b.Addresses, ",")), strings.Compare(a.Type, b.Type))
	})
	return l, nil
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
	if l.Brief {
		t.Columns = []string{"ADDRESSES", "PORT", "TYPE"}
	}
	if wide {
		t.Columns = append(t.Columns, "NAME", "DIRECTION", "STATE")
	}
	for i := range l.Listeners {
		one := &l.Listeners[i]
		head := []string{strings.Join(one.Addresses, ","), portOr(one.Port, "-")}
		var tail []string
		if wide {
			tail = []string{one.Name, orDash(strings.ToLower(one.Direction)), one.State}
		}
		if l.Brief {
			t.Rows = append(t.Rows, slices.Concat(head, []string{one.Type}, tail))
			continue
		}
		chains := one.Chains
		if len(chains) == 0 {
			chains = []FilterChain{{Match: "-", Destination: "-"}}
		}
		for _, chain := range chains {
			t.Rows = append(t.Rows, slices.Concat(head, []string{chain.Match, chain.Destination}, tail))
		}
	}
	return []output.Table{t}
}

func (l *ListenerList) rejections() []string {
	var lines []string
	for i := range l.Listeners {
		if one := &l.Listeners[i]; one.Rejected != "" {
			lines = append(lines, "", "Envoy refused the last update of listener "+one.Name+":", "  "+strings.Join(strings.Fields(one.Rejected), " "))
		}
	}
	return lines
}
