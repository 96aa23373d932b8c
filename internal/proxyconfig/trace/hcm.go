package trace

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// hcm is an HTTP connection manager.
type hcm struct {
	Filters []extension `json:"http_filters"`
	RDS     *struct {
		Name string `json:"route_config_name"`
	} `json:"rds"`
	Routes       json.RawMessage `json:"route_config"`
	Scoped       json.RawMessage `json:"scoped_routes"`
	Codec        string          `json:"codec_type"`
	Normalize    bool            `json:"normalize_path"`
	MergeSlashes bool            `json:"merge_slashes"`
	Escaped      string          `json:"path_with_escaped_slashes_action"`
	PathRules    json.RawMessage `json:"path_normalization_options"`
	StripPort    bool            `json:"strip_matching_host_port"`
	StripAnyPort bool            `json:"strip_any_host_port"`
	StripDot     bool            `json:"strip_trailing_host_dot"`
	UseRemote    bool            `json:"use_remote_address"`
	Hops         int             `json:"xff_num_trusted_hops"`
	DetectIP     json.RawMessage `json:"original_ip_detection_extensions"`
	SkipXFF      bool            `json:"skip_xff_append"`
	GenerateID   *bool           `json:"generate_request_id"`
	Early        json.RawMessage `json:"early_header_mutation_extensions"`
	Validation   json.RawMessage `json:"typed_header_validation_config"`
	Upgrades     []upgrade       `json:"upgrade_configs"`
	StreamIdle   *string         `json:"stream_idle_timeout"`
	ClientCert   string          `json:"forward_client_cert_details"`
	ForwardProto json.RawMessage `json:"forward_proto_config"`
	Scheme       *struct {
		Overwrite string `json:"scheme_to_overwrite"`
		Upstream  bool   `json:"match_upstream"`
	} `json:"scheme_header_transformation"`
	Common struct {
		Underscores string `json:"headers_with_underscores_action"`
		MaxStream   string `json:"max_stream_duration"`
	} `json:"common_http_protocol_options"`
	HTTP1 struct {
		AllowAbsolute *bool `json:"allow_absolute_url"`
		AnyMethod     bool  `json:"allow_custom_methods"`
		Accept10      bool  `json:"accept_http_10"`
	} `json:"http_protocol_options"`
}

// reply is an answer that the proxy gives without asking anybody.
type reply struct {
	status int
	flags  string
	detail string
	why    string
	kind   Kind
	to     string // of a redirect
}

// newCall makes the call that the connection manager hands to routes and
// filters: it checks and normalises what came in. The reply is set when it
// refuses the request.
func (h *hcm) newCall(r *Request, conn *Connection) (*Call, *reply) {
	c := &Call{
		Request: r, Conn: conn, Method: r.Method, Authority: r.Authority, Path: r.Path,
		Unknown: map[string]string{}, Metadata: map[string]any{}, FilterState: map[string]string{},
	}
	c.Headers = append(Headers{}, r.Headers...)
	maps.Copy(c.Unknown, r.unknown)
	c.Remote = h.remote(r, conn)
	if bad := h.checkHeaders(c); bad != nil {
		return c, bad
	}
	if bad := h.normalizePath(c); bad != nil {
		return c, bad
	}
	h.normalizeHost(c)
	h.ownHeaders(c)
	if unread(h.Early) {
		c.Unknown["*"] = "an early header mutation"
	}
	if bad := h.checkUpgrade(c); bad != nil {
		return c, bad
	}
	return c, nil
}

// unread says whether a part that is not read here is set.
func unread(raw json.RawMessage) bool {
	return len(raw) > 0 && string(raw) != "[]" && string(raw) != "{}" && string(raw) != "null"
}

// knownMethods are those that HTTP/1 may have here, unless any may.
const knownMethods = " ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY OPTIONS " +
	"PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE "

func (h *hcm) checkHeaders(c *Call) *reply {
	switch {
	case c.Request.Protocol != "HTTP/2" && !h.HTTP1.AnyMethod && !strings.Contains(knownMethods, " "+c.Method+" "):
		return &reply{status: 400, flags: "DPE", detail: "http1.codec_error", why: c.Method + " is no method that this listener takes; methods are in capitals", kind: Closed}
	case c.Authority == "":
		return &reply{status: 400, detail: "missing_host_header", why: "the request has no Host header"}
	case unreadablePath(c.Path):
		return &reply{status: 400, flags: "DPE", detail: "http1.codec_error", why: "the path has a character that HTTP does not allow: escape it as %XX", kind: Closed}
	case c.Method == "CONNECT":
		return nil
	case c.Path == "*" && c.Method == "OPTIONS":
	case c.Path == "" || c.Path[0] != '/':
		return &reply{status: 404, detail: "absolute_path_rejected", why: "the path does not begin with a slash"}
	}
	if h.Common.Underscores == "" || h.Common.Underscores == "ALLOW" {
		return nil
	}
	kept := Headers{}
	for _, line := range c.Headers {
		if !strings.Contains(line.Name, "_") {
			kept = append(kept, line)
		} else if h.Common.Underscores == "REJECT_REQUEST" {
			return &reply{status: 400, detail: "http1.unexpected_underscore", why: fmt.Sprintf("header %s has an underscore, which this listener refuses", line.Name)}
		}
	}
	c.Headers = kept
	return nil
}

// unreadablePath says whether the path has characters that HTTP does not allow.
func unreadablePath(path string) bool {
	return strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// ownHeaders does what the connection manager does to headers before routing.
func (h *hcm) ownHeaders(c *Call) {
	if _, upgrades := c.Headers.Get("upgrade"); !upgrades {
		c.Headers.Remove("connection")
	}
	for _, name := range []string{"keep-alive", "proxy-connection", "transfer-encoding"} {
		c.Headers.Remove(name)
	}
	if te, _ := c.Headers.Get("te"); te != "trailers" {
		c.Headers.Remove("te")
	}
	h.forwarded(c)
	c.Scheme = map[bool]string{true: "https", false: "http"}[c.Conn.Terminated]
	if proto, _ := c.Headers.Get("x-forwarded-proto"); proto == "http" || proto == "https" {
		c.Scheme = proto
	}
	if h.Scheme != nil && h.Scheme.Overwrite != "" {
		c.Scheme = h.Scheme.Overwrite
	}
	for _, line := range c.Headers {
		if strings.HasPrefix(line.Name, "x-envoy-") {
			c.Unknown[line.Name] = "Envoy, which takes its own headers away from requests of other hosts"
		}
	}
	if _, ok := c.Headers.Get("x-request-id"); !ok && (h.GenerateID == nil || *h.GenerateID) {
		c.Headers.Set("x-request-id", "")
		c.Unknown["x-request-id"] = "Envoy itself"
	}
}

// forwarded sets the headers that tell later hops of this connection.
func (h *hcm) forwarded(c *Call) {
	proto := map[bool]string{true: "https", false: "http"}[c.Conn.Terminated]
	if _, ok := c.Headers.Get("x-forwarded-proto"); !ok || h.UseRemote && h.Hops == 0 {
		c.Headers.Set("x-forwarded-proto", proto)
	}
	if unread(h.ForwardProto) {
		c.Unknown["x-forwarded-proto"] = "the listener's forward_proto_config"
	}
	if h.UseRemote {
		for _, name := range []string{"x-forwarded-for", "x-envoy-internal", "x-envoy-external-address"} {
			c.Unknown[name] = "Envoy itself"
		}
	}
	switch {
	case h.ClientCert == "" || h.ClientCert == "SANITIZE":
		c.Headers.Remove("x-forwarded-client-cert")
	case strings.HasPrefix(h.ClientCert, "APPEND") || h.ClientCert == "SANITIZE_SET":
		if c.Conn.Terminated && (!c.Conn.PeerKnown || c.Conn.Peer != "") {
			c.Unknown["x-forwarded-client-cert"] = "Envoy itself"
		}
	}
}

// checkUpgrade refuses upgrades that are not allowed.
func (h *hcm) checkUpgrade(c *Call) *reply {
	kind, ok := c.Headers.Get("upgrade")
	if c.Method == "CONNECT" {
		kind, ok = "CONNECT", true
	}
	if !ok {
		return nil
	}
	for _, u := range h.Upgrades {
		if strings.EqualFold(u.Type, kind) && (u.Enabled == nil || *u.Enabled) {
			return nil
		}
	}
	return &reply{status: 403, detail: "upgrade_failed", why: fmt.Sprintf("upgrades to %s are not allowed here", kind)}
}
