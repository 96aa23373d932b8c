package trace

import (
	"net/netip"
	"strings"
)

// remote is the client's address as Envoy concludes it: the peer's own, or
// one of x-forwarded-for, counted from its end, where proxies before are
// trusted. Not valid means that it cannot be told.
func (h *hcm) remote(r *Request, conn *Connection) netip.Addr {
	if unread(h.DetectIP) {
		return netip.Addr{}
	}
	skip := h.Hops
	if h.UseRemote {
		if h.Hops == 0 {
			return conn.Source.Addr()
		}
		skip-- // the connection itself is the first hop
	}
	if r.unknown["x-forwarded-for"] != "" || r.unknown["*"] != "" {
		return netip.Addr{}
	}
	forwarded, _ := r.Headers.Get("x-forwarded-for")
	addresses := strings.Split(forwarded, ",")
	if skip >= len(addresses) {
		return conn.Source.Addr()
	}
	ip, err := netip.ParseAddr(strings.TrimSpace(addresses[len(addresses)-1-skip]))
	if err != nil {
		return conn.Source.Addr()
	}
	return ip
}

// forwardedFor adds the peer to x-forwarded-for where the proxy is told to
// take its address for the client's; a sidecar leaves the header alone.
func (h *hcm) forwardedFor(c *Call) {
	ip := c.Conn.Source.Addr()
	switch {
	case unread(h.DetectIP), h.UseRemote && !h.SkipXFF && !ip.IsValid():
		c.Unknown["x-forwarded-for"] = "Envoy itself"
	case h.UseRemote && !h.SkipXFF:
		value, present := c.Headers.Get("x-forwarded-for")
		if present {
			value += ","
		}
		c.Headers.Set("x-forwarded-for", value+ip.String())
	}
}
