package trace

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// gatewayListener finds the listener for a port of a gateway. Clients know the
// port of the gateway's Service; the proxy may listen on another one, which
// istiod tells by the names that it gives: the route table
// "https.PORT.SERVER..." and virtual hosts "HOST:PORT".
func (w *walker) gatewayListener() *listener {
	port := w.conn.Port
	if l := w.dump.exact(w.conn.Destination, port); l != nil {
		w.at(l, fmt.Sprintf("%s listens on port %d", l.Name, port))
		return l
	}
	for _, l := range w.dump.listeners {
		if l.raw == nil || len(l.addresses) == 0 || !w.dump.servesPort(l, port) {
			continue
		}
		target := l.addresses[0].port()
		w.at(l, fmt.Sprintf("%s listens on port %d, where the Service sends port %d", l.Name, target, port))
		w.detail("listener", "that follows from the names of its routes, not from the Service itself")
		w.conn.Port, w.conn.Destination = target, netip.Addr{}
		return l
	}
	return nil
}

// servesPort says whether the names of a listener's routes tell that it is for
// a port of the Gateway.
func (d *Dump) servesPort(l *listener, port int) bool {
	if textOf(member(l.raw, "traffic_direction")) != "OUTBOUND" {
		return false
	}
	if bytes.Contains(l.raw, fmt.Appendf(nil, `"https.%d.`, port)) {
		return true
	}
	for name, table := range d.routes {
		if !strings.HasPrefix(name, "http.") || !bytes.Contains(l.raw, []byte(`"`+name+`"`)) {
			continue
		}
		if bytes.Contains(table, fmt.Appendf(nil, `:%d"`, port)) {
			return true
		}
	}
	return false
}
