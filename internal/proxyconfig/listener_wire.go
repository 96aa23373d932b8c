package proxyconfig

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

type wireListenerState struct {
	Listener wireListener `json:"listener"`
}

type wireDynamicListener struct {
	Name     string             `json:"name"`
	Active   *wireListenerState `json:"active_state"`
	Warming  *wireListenerState `json:"warming_state"`
	Draining *wireListenerState `json:"draining_state"`
	Error    *struct {
		Details string `json:"details"`
	} `json:"error_state"`
}

type wireListener struct {
	Name    string      `json:"name"`
	Address wireAddress `json:"address"`
	More    []struct {
		Address wireAddress `json:"address"`
	} `json:"additional_addresses"`
	Direction string      `json:"traffic_direction"`
	Chains    []wireChain `json:"filter_chains"`
	Default   *wireChain  `json:"default_filter_chain"`
}

type wireChain struct {
	Name     string              `json:"name"`
	Match    wireChainMatch      `json:"filter_chain_match"`
	Filters  []typed[wireFilter] `json:"filters"`
	Metadata wireMetadata        `json:"metadata"`
	Socket   *struct {
		Name   string `json:"name"`
		Config struct {
			NeedsClient bool `json:"require_client_certificate"`
		} `json:"typed_config"`
	} `json:"transport_socket"`
}

type wireChainMatch struct {
	Port   int `json:"destination_port"`
	Ranges []struct {
		Prefix string `json:"address_prefix"`
		Length *int   `json:"prefix_len"`
	} `json:"prefix_ranges"`
	ServerNames []string `json:"server_names"`
	Transport   string   `json:"transport_protocol"`
	ALPN        []string `json:"application_protocols"`
}

// wireFilter is a network filter; only the HTTP connection manager and the TCP
// proxy say where connections go, and RBAC whose policies it has.
type wireFilter struct {
	kind filterKind
	wireFilterFields
}

type filterKind int

const (
	otherFilter filterKind = iota
	httpFilter
	tcpFilter
	rbacFilter
)

type wireFilterFields struct {
	Cluster  string      `json:"cluster"`
	Weighted wireWeights `json:"weighted_clusters"`
	RDS      *struct {
		Name string `json:"route_config_name"`
	} `json:"rds"`
	Routes *wireRoutes  `json:"route_config"`
	HTTP   []wireHTTP   `json:"http_filters"`
	Rules  wirePolicies `json:"rules"`
}

// wireHTTP is an HTTP filter.
type wireHTTP struct {
	Name   string `json:"name"`
	Config struct {
		Rules wirePolicies `json:"rules"`
	} `json:"typed_config"`
}

// wirePolicies are the rules of an RBAC filter, by name; what they say is not read.
type wirePolicies struct {
	Policies map[string]struct{}
}

type wirePoliciesFields struct {
	Policies map[string]struct{} `json:"policies"`
}

func (*wirePolicies) shape() any { return wirePoliciesFields{} }

// UnmarshalJSON passes over what other filters have under the same name.
func (p *wirePolicies) UnmarshalJSON(text []byte) error {
	var fields wirePoliciesFields
	if json.Unmarshal(text, &fields) == nil {
		p.Policies = fields.Policies
	}
	return nil
}

// shape is what is read of the two filters.
func (*wireFilter) shape() any {
	return struct {
		Type string `json:"@type"`
		wireFilterFields
	}{}
}

// UnmarshalJSON decodes the two filters that matter; others may have members
// of the same names and another meaning.
func (f *wireFilter) UnmarshalJSON(text []byte) error {
	switch kind := typeOf(text); {
	case strings.HasSuffix(kind, ".HttpConnectionManager"):
		f.kind = httpFilter
	case strings.HasSuffix(kind, ".TcpProxy"):
		f.kind = tcpFilter
	case strings.HasSuffix(kind, ".rbac.v3.RBAC"):
		f.kind = rbacFilter
	default:
		return nil
	}
	return json.Unmarshal(text, &f.wireFilterFields)
}

// typeOf is the @type of an extension; it comes first as a rule.
func typeOf(text []byte) string {
	rest := bytes.TrimLeft(text, "{ \t\r\n")
	if after, ok := bytes.CutPrefix(rest, []byte(`"@type"`)); ok {
		after = bytes.TrimLeft(after, ": \t\r\n")
		if len(after) > 0 && after[0] == '"' {
			return string(after[1 : stringEnd(after, 0)-1])
		}
	}
	var t struct {
		Type string `json:"@type"`
	}
	_ = json.Unmarshal(text, &t)
	return t.Type
}

// listener is the state that counts, and its name in the dump.
func (w *wireDynamicListener) listener() (l Listener, state string) {
	switch {
	case w.Active != nil:
		l, state = w.Active.Listener.listener("active"), "active_state"
	case w.Warming != nil:
		l, state = w.Warming.Listener.listener("warming"), "warming_state"
	case w.Draining != nil:
		l, state = w.Draining.Listener.listener("draining"), "draining_state"
	default:
		empty := wireListener{}
		l, state = empty.listener("none"), "error_state"
	}
	l.Name = cmp.Or(l.Name, w.Name)
	if w.Error != nil {
		l.Rejected = RedactText(w.Error.Details)
	}
	return l, state
}

func (w *wireListener) listener(state string) Listener {
	l := Listener{Name: w.Name, Addresses: []string{}, Port: w.Address.port(), Direction: w.Direction, State: state, Chains: []FilterChain{}}
	if host := w.Address.host(); host != "" {
		l.Addresses = append(l.Addresses, host)
	}
	for _, more := range w.More {
		if host := more.Address.host(); !slices.Contains(l.Addresses, host) {
			l.Addresses = append(l.Addresses, host)
		}
	}
	chains := w.Chains
	if w.Default != nil {
		chains = append(slices.Clip(chains), *w.Default)
	}
	http, tcp := false, false
	for i := range chains {
		l.Chains = append(l.Chains, chains[i].chain())
		for _, f := range chains[i].Filters {
			http = http || f.Config.kind == httpFilter
			tcp = tcp || f.Config.kind == tcpFilter
		}
	}
	switch {
	case http && tcp:
		l.Type = "HTTP+TCP"
	case http:
		l.Type = "HTTP"
	case tcp:
		l.Type = "TCP"
	default:
		l.Type = "UNKNOWN"
	}
	return l
}

// String is the condition of a filter chain as istioctl writes it.
func (m *wireChainMatch) String() string {
	var parts []string
	if len(m.ServerNames) > 0 {
		parts = append(parts, "SNI: "+strings.Join(m.ServerNames, ","))
	}
	if m.Transport != "" {
		parts = append(parts, "Trans: "+m.Transport)
	}
	if len(m.ALPN) > 0 {
		parts = append(parts, "App: "+alpnName(m.ALPN))
	}
	port := ""
	if m.Port != 0 {
		port = fmt.Sprintf(":%d", m.Port)
	}
	var addresses []string
	for _, r := range m.Ranges {
		address := r.Prefix
		full := strings.Count(r.Prefix, ":") == 0 && r.Length != nil && *r.Length == 32 || r.Length != nil && *r.Length == 128
		if r.Length != nil && !full {
			address = fmt.Sprintf("%s/%d", address, *r.Length)
		}
		addresses = append(addresses, address+port)
	}
	switch {
	case len(addresses) > 0:
		parts = append(parts, "Addr: "+strings.Join(addresses, ","))
	case port != "":
		parts = append(parts, "Addr: *"+port)
	}
	if len(parts) == 0 {
		return "ALL"
	}
	return strings.Join(parts, "; ")
}

// alpnName names the sets of protocols that istioctl names.
func alpnName(alpn []string) string {
	switch set := strings.Join(alpn, ","); set {
	case "istio-peer-exchange,istio":
		return "TCP TLS"
	case "http/1.0,http/1.1,h2c":
		return "HTTP"
	case "istio,istio-http/1.0,istio-http/1.1,istio-h2":
		return "Istio HTTP Plain"
	default:
		return set
	}
}

func (c *wireChain) chain() FilterChain {
	chain := FilterChain{Name: c.Name, Match: c.Match.String(), Destination: c.destination(), TLS: "none", Filters: []string{}, Owners: []string{}}
	if c.Socket != nil && !strings.HasSuffix(c.Socket.Name, "raw_buffer") {
		chain.TLS = "tls"
		if c.Socket.Config.NeedsClient {
			chain.TLS = "mtls"
		}
	}
	own := func(kind, name string) {
		if owner := ownerText(kind, name); name != "" && !slices.Contains(chain.Owners, owner) {
			chain.Owners = append(chain.Owners, owner)
		}
	}
	own(OwnerOf(c.Metadata.Filter.Istio.Config))
	policies := func(p wirePolicies) {
		for _, name := range slices.Sorted(maps.Keys(p.Policies)) {
			own("authorization-policy", policyOf(name))
		}
	}
	for _, f := range c.Filters {
		if f.Config.kind != httpFilter {
			chain.Filters = append(chain.Filters, shortName(f.Name))
			policies(f.Config.Rules)
		}
		for _, h := range f.Config.HTTP {
			chain.Filters = append(chain.Filters, shortName(h.Name))
			policies(h.Config.Rules)
		}
	}
	return chain
}

// shortName is the name of a filter without what all names begin with.
func shortName(name string) string {
	for _, prefix := range []string{"envoy.filters.http.", "envoy.filters.network."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			return rest
		}
	}
	return name
}

// policyOf is name.namespace of the AuthorizationPolicy of which istiod made
// an RBAC rule: "ns[NAMESPACE]-policy[NAME]-rule[0]"; "" when it is another.
func policyOf(rule string) string {
	_, rest, ok := strings.Cut(rule, "ns[")
	if !ok {
		return ""
	}
	namespace, rest, ok := strings.Cut(rest, "]-policy[")
	name, _, closed := strings.Cut(rest, "]-rule[")
	if !ok || !closed {
		return ""
	}
	return name + "." + namespace
}

func (c *wireChain) destination() string {
	for _, f := range c.Filters {
		switch {
		case f.Config.kind == httpFilter && f.Config.RDS != nil:
			return "Route: " + f.Config.RDS.Name
		case f.Config.kind == httpFilter && f.Config.Routes != nil:
			if only := f.Config.Routes.onlyCluster(); only != "" {
				return clusterText(only)
			}
			return "Inline Route: " + f.Config.Routes.inline()
		case f.Config.kind == httpFilter:
			return "HTTP"
		case f.Config.kind == tcpFilter:
			return clusterText(cmp.Or(f.Config.Cluster, f.Config.Weighted.String()))
		}
	}
	return "Non-HTTP/Non-TCP"
}

// clusterText names a cluster; PassthroughCluster and its like say it themselves.
func clusterText(name string) string {
	if strings.Contains(name, "Cluster") {
		return name
	}
	return "Cluster: " + name
}

// onlyCluster is where every request goes; "" when that depends.
func (w *wireRoutes) onlyCluster() string {
	if len(w.Hosts) != 1 || len(w.Hosts[0].Routes) != 1 || !slices.Equal(w.Hosts[0].Domains, []string{"*"}) {
		return ""
	}
	r := &w.Hosts[0].Routes[0]
	if r.Action == nil || r.Match.String() != "/*" {
		return ""
	}
	return r.Action.Cluster
}

// inline is a short form of a route table written into its listener.
func (w *wireRoutes) inline() string {
	var hosts []string
	for _, h := range w.Hosts {
		var matches []string
		for i := range h.Routes {
			matches = append(matches, h.Routes[i].Match.String())
		}
		text := strings.Join(matches, ", ")
		if domains := strings.Join(h.Domains, "/"); domains != "*" && domains != "" {
			text = domains + " " + text
		}
		hosts = append(hosts, text)
	}
	return strings.Join(hosts, "; ")
}
