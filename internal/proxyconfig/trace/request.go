package trace

import (
	"net/netip"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Request is the request, or the TCP connection, whose way is asked for, and
// what is known of who makes it.
type Request struct {
	// Method is empty for a plain TCP connection.
	Method string `json:"method,omitempty"`
	Scheme string `json:"scheme"`
	// Authority is the Host header as the client sends it, with the port if it
	// has one.
	Authority string `json:"authority,omitempty"`
	// Host is the name or address that the client connects to.
	Host string `json:"host"`
	// Port is the port that the client connects to.
	Port int `json:"port"`
	// Path has the query, and no fragment.
	Path    string  `json:"path,omitempty"`
	Headers Headers `json:"headers"`
	// Address is where the client connects to; not valid means: look it up.
	Address netip.Addr `json:"address,omitzero"`
	// Protocol of the request: HTTP/1.1 or HTTP/2.
	Protocol string `json:"protocol,omitempty"`
	// TLS says that the client itself speaks TLS.
	TLS bool `json:"tls"`
	// SNI is the server name that the client asks for in TLS.
	SNI  string   `json:"sni,omitempty"`
	ALPN []string `json:"alpn,omitempty"`
	// Source is the client's own address; not valid means unknown.
	Source netip.AddrPort `json:"source,omitzero"`
	// Principal is the client's identity, without "spiffe://", as
	// cluster.local/ns/NAMESPACE/sa/ACCOUNT; empty is unknown. It counts for the server only.
	Principal string `json:"principal,omitempty"`
	// Plaintext says that the client has no proxy, so the server sees no identity.
	Plaintext bool `json:"plaintext,omitempty"`
	// Claims are those of a valid token that the request carries, as
	// name -> values; nil means that it has none.
	Claims map[string][]string `json:"claims,omitempty"`

	unknown map[string]string // headers that an earlier proxy may have set
}

// TCP says that the request is a connection without HTTP.
func (r *Request) TCP() bool { return r.Method == "" }

// Header is one header line; Name is in lower case.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Headers are the header lines of a request in order.
type Headers []Header

// Get is the value of a header as Envoy matches it, all lines of the name
// joined by commas.
func (h Headers) Get(name string) (string, bool) {
	var values []string
	for _, line := range h {
		if line.Name == name {
			values = append(values, line.Value)
		}
	}
	return strings.Join(values, ","), values != nil
}

// Set replaces all lines of a name by one.
func (h *Headers) Set(name, value string) {
	h.Remove(name)
	*h = append(*h, Header{Name: name, Value: value})
}

// Add appends a line.
func (h *Headers) Add(name, value string) { *h = append(*h, Header{Name: name, Value: value}) }

// Remove takes all lines of a name away.
func (h *Headers) Remove(name string) {
	kept := make(Headers, 0, len(*h))
	for _, line := range *h {
		if line.Name != name {
			kept = append(kept, line)
		}
	}
	*h = kept
}

// SetPrincipal sets the client's identity, with or without "spiffe://".
func (r *Request) SetPrincipal(id string) error {
	id = strings.TrimPrefix(id, "spiffe://")
	if id != "" && !strings.Contains(id, "/") {
		return hint.Usagef("write it as cluster.local/ns/NAMESPACE/sa/ACCOUNT", "%q is no identity", id)
	}
	r.Principal = id
	return nil
}

// AddClaims adds claims of the token, each NAME=VALUE; a name may come again.
func (r *Request) AddClaims(claims []string) error {
	for _, c := range claims {
		name, value, ok := strings.Cut(c, "=")
		if !ok || name == "" {
			return hint.Usagef("write it as NAME=VALUE, such as iss=https://issuer.example.com", "%q is no claim", c)
		}
		if r.Claims == nil {
			r.Claims = map[string][]string{}
		}
		r.Claims[name] = append(r.Claims[name], value)
	}
	return nil
}
