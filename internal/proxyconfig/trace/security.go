package trace

import (
	"encoding/json"
	"fmt"
	"strings"
)

// security is how a connection to an endpoint is protected.
type security struct {
	text     string
	tls      bool
	sni      string
	alpn     []string
	identity bool // it presents a certificate
	names    []string
	wrapped  string // a transport socket that is neither TLS nor plain
}

type upstreamTLS struct {
	SNI    string    `json:"sni"`
	Common commonTLS `json:"common_tls_context"`
	Auto   bool      `json:"auto_host_sni"`
}

type commonTLS struct {
	ALPN     []string          `json:"alpn_protocols"`
	Certs    []json.RawMessage `json:"tls_certificates"`
	SDS      []sdsName         `json:"tls_certificate_sds_secret_configs"`
	Provider json.RawMessage   `json:"tls_certificate_provider_instance"`
	Context  *validation       `json:"validation_context"`
	FromSDS  *sdsName          `json:"validation_context_sds_secret_config"`
	Combined *struct {
		Default validation `json:"default_validation_context"`
		SDS     sdsName    `json:"validation_context_sds_secret_config"`
	} `json:"combined_validation_context"`
}

type sdsName struct {
	Name string `json:"name"`
}

type validation struct {
	Names []stringMatcher `json:"match_subject_alt_names"`
	Typed []struct {
		Matcher stringMatcher `json:"matcher"`
	} `json:"match_typed_subject_alt_names"`
}

// names are the identities that are accepted.
func (c *commonTLS) names() []string {
	v := c.Context
	if c.Combined != nil {
		v = &c.Combined.Default
	}
	if v == nil {
		return nil
	}
	var names []string
	for i := range v.Names {
		names = append(names, v.Names[i].String())
	}
	for i := range v.Typed {
		names = append(names, v.Typed[i].Matcher.String())
	}
	return names
}

// checks says whether the other side's certificate is checked at all.
func (c *commonTLS) checks() bool { return c.Context != nil || c.FromSDS != nil || c.Combined != nil }

// security is what the connection to an endpoint is made with: the first
// transport socket whose conditions the endpoint's metadata has.
func (c *cluster) security(e *endpoint, g *endpointGroup) security {
	if unread(c.SocketMatcher) {
		return security{text: "secured by a matcher that is not read here", wrapped: "transport_socket_matcher"}
	}
	for i := range c.SocketMatches {
		m := &c.SocketMatches[i]
		if m.fits(e, g) {
			return m.Socket.security(m.Name)
		}
	}
	return c.Socket.security("")
}

// fits says whether the endpoint's metadata, or else its group's, has all that
// the match asks for.
func (m *socketMatch) fits(e *endpoint, g *endpointGroup) bool {
	if len(m.Match) == 0 {
		return true
	}
	var raw json.RawMessage
	if e != nil {
		raw = e.Metadata.Filter["envoy.transport_socket_match"]
	}
	if raw == nil && g != nil {
		raw = g.Metadata.Filter["envoy.transport_socket_match"]
	}
	var has map[string]any
	_ = json.Unmarshal(raw, &has)
	for key, want := range m.Match {
		if fmt.Sprint(has[key]) != fmt.Sprint(want) {
			return false
		}
	}
	return true
}

// security describes a transport socket; nil is plain text.
func (s *extension) security(match string) security {
	if s == nil {
		return security{text: "plain text"}
	}
	kind := shortType(s.typeURL())
	switch {
	case strings.HasSuffix(kind, ".RawBuffer"), kind == "" && strings.HasSuffix(s.Name, "raw_buffer"):
		return security{text: "plain text"}
	case !strings.HasSuffix(kind, ".UpstreamTlsContext"):
		return security{text: "through " + orText(s.Name, kind), wrapped: orText(s.Name, kind)}
	}
	var t upstreamTLS
	if json.Unmarshal(s.Config, &t) != nil {
		return security{text: "TLS, which cannot be read here", tls: true, wrapped: "TLS"}
	}
	return t.security()
}

func (t *upstreamTLS) security() security {
	s := security{text: "TLS", tls: true, sni: t.SNI, alpn: t.Common.ALPN, names: t.Common.names()}
	s.identity = len(t.Common.Certs) > 0 || len(t.Common.SDS) > 0 || unread(t.Common.Provider)
	if s.identity {
		s.text = "mutual TLS"
	}
	if t.SNI != "" {
		s.text += ", SNI " + t.SNI
	}
	switch {
	case len(s.names) > 0:
		s.text += ", the server must be " + strings.Join(s.names, " or ")
	case !t.Common.checks():
		s.text += ", the server's certificate is not checked"
	}
	return s
}
