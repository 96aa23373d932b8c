package trace

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
)

// The types below are the light forms of Envoy's messages. Extensions stay raw.

type address struct {
	Socket *struct {
		Address string `json:"address"`
		Port    int    `json:"port_value"`
		Compat  bool   `json:"ipv4_compat"`
	} `json:"socket_address"`
	Pipe *struct {
		Path string `json:"path"`
	} `json:"pipe"`
	Internal *struct {
		Listener string `json:"server_listener_name"`
		Endpoint string `json:"endpoint_id"`
	} `json:"envoy_internal_address"`
}

func (a address) port() int {
	if a.Socket == nil {
		return 0
	}
	return a.Socket.Port
}

// ip is not valid when the address is no IP address.
func (a address) ip() netip.Addr {
	if a.Socket == nil {
		return netip.Addr{}
	}
	ip, _ := netip.ParseAddr(a.Socket.Address)
	return ip
}

func (a address) String() string {
	switch {
	case a.Socket != nil:
		return net.JoinHostPort(a.Socket.Address, strconv.Itoa(a.Socket.Port))
	case a.Pipe != nil:
		return "unix://" + a.Pipe.Path
	case a.Internal != nil && a.Internal.Endpoint != "":
		return "envoy://" + a.Internal.Listener + "/" + a.Internal.Endpoint
	case a.Internal != nil:
		return "envoy://" + a.Internal.Listener
	}
	return ""
}

// extension is a filter or the like: its type and raw configuration.
type extension struct {
	Name     string          `json:"name"`
	Config   json.RawMessage `json:"typed_config"`
	Disabled bool            `json:"disabled"`
	Optional bool            `json:"is_optional"`
	// OffFor is the condition on which a listener filter looks away.
	OffFor json.RawMessage `json:"filter_disabled"`
	// Discovery says that the configuration comes by ECDS, under this name.
	Discovery *struct {
		Default json.RawMessage `json:"default_config"`
	} `json:"config_discovery"`
}

// typeURL is the @type of the configuration; of a TypedStruct the type inside.
func (e *extension) typeURL() string { return typeURL(e.Config) }

func typeURL(config json.RawMessage) string {
	url := textOf(member(config, "@type"))
	switch shortType(url) {
	case "udpa.type.v1.TypedStruct", "xds.type.v3.TypedStruct":
		return textOf(member(config, "type_url"))
	}
	return url
}

// listener is one listener; what is below raw is decoded when a connection
// may reach it.
type listener struct {
	Name     string
	raw      json.RawMessage
	warming  bool
	rejected string

	addresses []address
	once      sync.Once
	decoded   *listenerBody
	failed    error
}

type listenerBody struct {
	Chains      []*chain        `json:"filter_chains"`
	Default     *chain          `json:"default_filter_chain"`
	Matcher     json.RawMessage `json:"filter_chain_matcher"`
	OriginalDst bool            `json:"use_original_dst"`
	Filters     []extension     `json:"listener_filters"`
	Direction   string          `json:"traffic_direction"`
	BindToPort  *bool           `json:"bind_to_port"`
	Metadata    metadata        `json:"metadata"`
	Internal    json.RawMessage `json:"internal_listener"`
	Deprecated  struct {
		BindToPort *bool `json:"bind_to_port"`
	} `json:"deprecated_v1"`
}

type metadata struct {
	Filter map[string]json.RawMessage `json:"filter_metadata"`
}

// owner is the object that istiod names in metadata.
func (m metadata) owner() Resource {
	return ofGatewayAPI(resource(textOf(member(m.Filter["istio"], "config"))))
}

// index decodes what finding the listener takes: its addresses.
func (l *listener) index() error {
	if l.Name == "" {
		l.Name = textOf(member(l.raw, "name"))
	}
	var first address
	if raw := member(l.raw, "address"); raw != nil {
		if err := json.Unmarshal(raw, &first); err != nil {
			return err
		}
	}
	var more []struct {
		Address address `json:"address"`
	}
	if raw := member(l.raw, "additional_addresses"); raw != nil {
		if err := json.Unmarshal(raw, &more); err != nil {
			return err
		}
	}
	l.addresses = append(l.addresses, first)
	for _, a := range more {
		l.addresses = append(l.addresses, a.Address)
	}
	return nil
}

// body decodes the listener once.
func (l *listener) body() (*listenerBody, error) {
	l.once.Do(func() {
		var b listenerBody
		if err := json.Unmarshal(l.raw, &b); err != nil {
			l.failed = fmt.Errorf("reading listener %s: %w", l.Name, err)
			return
		}
		l.decoded = &b
	})
	return l.decoded, l.failed
}

// chain is a filter chain.
type chain struct {
	Name      string      `json:"name"`
	Match     chainMatch  `json:"filter_chain_match"`
	Filters   []extension `json:"filters"`
	Transport *extension  `json:"transport_socket"`
	Metadata  metadata    `json:"metadata"`
}

type chainMatch struct {
	Port        *int     `json:"destination_port"`
	Ranges      []cidr   `json:"prefix_ranges"`
	ServerNames []string `json:"server_names"`
	Transport   string   `json:"transport_protocol"`
	ALPN        []string `json:"application_protocols"`
	Direct      []cidr   `json:"direct_source_prefix_ranges"`
	SourceType  string   `json:"source_type"`
	Sources     []cidr   `json:"source_prefix_ranges"`
	SourcePorts []int    `json:"source_ports"`
}

// cidr is a range of addresses.
type cidr struct {
	Prefix string `json:"address_prefix"`
	Length int    `json:"prefix_len"`
}

func (c cidr) String() string { return c.Prefix + "/" + strconv.Itoa(c.Length) }

// prefix is the range as Envoy counts it; ok is false when it is none.
func (c cidr) prefix() (netip.Prefix, bool) {
	ip, err := netip.ParseAddr(c.Prefix)
	if err != nil {
		return netip.Prefix{}, false
	}
	p, err := ip.Prefix(min(c.Length, ip.BitLen()))
	return p, err == nil
}
