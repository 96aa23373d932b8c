package trace

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// connInput reads what trees may ask of a connection.
func (f *chainFacts) connInput(input *extension) (string, bool, string) {
	c := f.conn
	switch kind := lastPart(input.typeURL()); kind {
	case "DestinationIPInput":
		if !c.Destination.IsValid() {
			return "", false, "the destination address"
		}
		return c.Destination.String(), true, ""
	case "DestinationPortInput":
		return strconv.Itoa(c.Port), true, ""
	case "SourceIPInput", "DirectSourceIPInput":
		if !c.Source.IsValid() {
			return "", false, "the source address"
		}
		return c.Source.Addr().String(), true, ""
	case "SourcePortInput":
		if c.Source.Port() == 0 {
			return "", false, "the source port"
		}
		return strconv.Itoa(int(c.Source.Port())), true, ""
	case "ServerNameInput":
		return asciiLower(f.sni), f.sni != "", f.unsure
	case "TransportProtocolInput":
		if f.transport == "" {
			return "", false, "whether the connection is TLS"
		}
		return f.transport, true, ""
	case "ApplicationProtocolInput":
		quoted := make([]string, 0, len(f.alpn))
		for _, p := range f.alpn {
			quoted = append(quoted, "'"+p+"'")
		}
		return strings.Join(quoted, ","), len(quoted) > 0, f.unsure
	case "UriSanInput":
		return peerInput(c)
	default:
		return "", false, "the input " + kind
	}
}

func peerInput(c *Connection) (string, bool, string) {
	if !c.PeerKnown {
		return "", false, "the identity of the client"
	}
	return "spiffe://" + c.Peer, c.Peer != "", ""
}

// input reads what trees may ask of a call.
func (c *Call) input(input *extension) (string, bool, string) {
	switch kind := lastPart(input.typeURL()); kind {
	case "HttpRequestHeaderMatchInput":
		name := strings.ToLower(textOf(member(input.Config, "header_name")))
		value, ok, unknown := c.header(name)
		if unknown != "" {
			return "", false, fmt.Sprintf("header %s, which may have been set by %s", name, unknown)
		}
		return value, ok, ""
	case "HttpRequestQueryParamMatchInput":
		value, ok := queryValue(c.Path, textOf(member(input.Config, "query_param")))
		return value, ok, c.pathUnknown()
	default:
		f := &chainFacts{conn: c.Conn, transport: "raw_buffer"}
		if c.Conn.Terminated {
			f.transport, f.sni, f.alpn = "tls", c.Conn.SNI, c.Conn.ALPN
		}
		return f.connInput(input)
	}
}

// pickByTree finds the chain by the listener's matcher, which names it.
func (b *listenerBody) pickByTree(f *chainFacts) chainPick {
	res := evalTree(b.Matcher, f.connInput)
	if res.unsure != "" {
		return chainPick{unsure: res.unsure}
	}
	if res.action != nil {
		name := textOf(member(res.action.Config, "value"))
		for _, c := range b.Chains {
			if c.Name == name {
				return chainPick{chain: c}
			}
		}
		if lastPart(res.action.typeURL()) != "StringValue" {
			return chainPick{unsure: "the action " + lastPart(res.action.typeURL())}
		}
	}
	return chainPick{chain: b.Default}
}

// routeByTree finds the route by the virtual host's matcher, whose actions
// hold routes.
func (h *httpWalk) routeByTree() *missed {
	res := evalTree(h.host.Matcher, h.call.input)
	if res.unsure != "" {
		h.stuck("route", "the routes are matched by "+res.unsure, res.unsure)
		return nil
	}
	if res.action == nil {
		why := fmt.Sprintf("the matcher of virtual host %s has no route for %s %s", h.host.Name, h.call.Method, h.call.Path)
		h.step(Step{Name: "route", State: Failed, Text: why})
		return &missed{why: why}
	}
	var routes []route
	switch lastPart(res.action.typeURL()) {
	case "Route":
		routes = make([]route, 1)
		if json.Unmarshal(res.action.Config, &routes[0]) != nil {
			routes = nil
		}
	case "RouteList":
		_ = json.Unmarshal(member(res.action.Config, "routes"), &routes)
	}
	pick := h.table.pickRoute(h.host, routes, h.call)
	switch {
	case pick.unsure != "":
		return h.unsureRoute(pick)
	case pick.route == nil:
		why := fmt.Sprintf("no route of virtual host %s matches %s %s", h.host.Name, h.call.Method, h.call.Path)
		h.step(Step{Name: "route", State: Failed, Text: why, Rejected: pick.rejected})
		return &missed{why: why}
	}
	h.setRoute(pick.route)
	h.step(Step{Name: "route", State: OK, Text: "route " + pick.route.title(pick.index) + " matches", Owner: pick.route.owner(), Rejected: pick.rejected})
	return nil
}
