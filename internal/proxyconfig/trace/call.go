package trace

import (
	"encoding/json"
	"net/netip"
	"strings"
)

// Connection is a connection as one proxy's listener sees it.
type Connection struct {
	// Destination is the address that the connection was made to, before it was
	// redirected to the proxy; one that is not valid is unknown.
	Destination netip.Addr
	Port        int
	// Source is the peer's address; not valid means unknown.
	Source netip.AddrPort
	// TLS says that the peer speaks TLS, Plaintext that it does not; neither is unknown.
	TLS, Plaintext bool
	SNI            string
	ALPN           []string
	// Terminated says that this proxy ended the TLS itself: the chain that was
	// chosen has a TLS transport socket.
	Terminated bool
	// Peer is the identity in the peer's certificate without "spiffe://"; empty means that it has none
	// when PeerKnown, and that it is unknown otherwise.
	Peer      string
	PeerKnown bool
	// Metadata is what network filters left, by namespace, as JSON values.
	Metadata map[string]any
	// Cluster is the one that a network filter chose for the TCP proxy, "" when none did.
	Cluster string

	refused string // why the client does not accept the server
}

// Call is a request on its way through one proxy: filters read and change it.
type Call struct {
	Request *Request
	Conn    *Connection

	// Method, Scheme, Authority and Path are the pseudo headers as they are now.
	Method, Scheme, Authority, Path string
	Headers                         Headers
	// Remote is the client's address as the connection manager concludes it
	// from the connection and x-forwarded-for; not valid means unknown.
	Remote netip.Addr
	// Unknown are headers that an earlier filter may have set or changed, by
	// name, with the filter's name; "*" is all of them.
	Unknown map[string]string
	// Route is the route chosen, nil when there is none.
	Route *ChosenRoute
	// Metadata is the dynamic metadata by namespace, as JSON values.
	Metadata map[string]any
	// FilterState holds objects that filters left, as text.
	FilterState map[string]string
	// runtime are the keys that the proxy's bootstrap sets.
	runtime map[string]bool
}

// ChosenRoute is the route that the request takes at this proxy.
type ChosenRoute struct {
	Table, VirtualHost, Name string
	Owner                    Resource
	// Metadata is the filter_metadata of the route, by namespace.
	Metadata map[string]json.RawMessage
	// RateLimits are rate_limits of the route and, where they count, of its
	// virtual host.
	RateLimits []json.RawMessage
	// Answers says that the route itself answers, with a redirect or a status:
	// some filters then do nothing.
	Answers bool
	// perFilter are typed_per_filter_config of route table, virtual host,
	// route and cluster weight, least specific first.
	perFilter []map[string]json.RawMessage
}

// header is a header's value as matchers see it, pseudo headers included;
// unknown names the filter that may have changed it, "" when none did.
func (c *Call) header(name string) (value string, present bool, unknown string) {
	unknown = c.Unknown[name]
	if unknown == "" {
		unknown = c.Unknown["*"]
	}
	switch name {
	case ":method":
		return c.Method, true, unknown
	case ":path":
		return c.Path, c.Path != "", unknown
	case ":authority", "host":
		return c.Authority, true, unknown
	case ":scheme":
		return c.Scheme, true, unknown
	}
	value, present = c.Headers.Get(name)
	return value, present, unknown
}

// pathUnknown names the filter that may have changed the path, "" when none did.
func (c *Call) pathUnknown() string {
	_, _, unknown := c.header(":path")
	return unknown
}

// headerLines are the values of a header, one per line, pseudo headers
// included; unknown as in header.
func (c *Call) headerLines(name string) (values []string, unknown string) {
	value, present, unknown := c.header(name)
	if !present || unknown != "" {
		return nil, unknown
	}
	if strings.HasPrefix(name, ":") || name == "host" {
		return []string{value}, ""
	}
	for _, line := range c.Headers {
		if line.Name == name {
			values = append(values, line.Value)
		}
	}
	return values, ""
}
