package trace

import (
	"bytes"
	"fmt"
	"strings"
)

// Names that istiod gives in waypoints: clients reach them by HTTP CONNECT with
// mutual TLS (HBONE), and what comes out of the tunnel goes on in mainInternal.
const (
	mainInternal = "main_internal"
	vipChain     = "inbound-vip"
)

// waypoint enters a waypoint behind its tunnel: the connection inside is plain,
// and the tunnel's identity is the caller's.
func (w *walker) waypoint(l *listener) {
	w.conn.TLS, w.conn.Plaintext = w.req.TLS, !w.req.TLS
	w.at(l, fmt.Sprintf("%s takes what comes out of the tunnel (HBONE)", l.Name))
	if w.conn.Destination.IsValid() {
		w.listen(l)
		return
	}
	body, err := l.body()
	if err != nil {
		w.stuck("filter chain", err.Error(), err.Error())
		return
	}
	w.walk.Outcome.Listener = l.Name
	for _, c := range body.Chains {
		parts := strings.Split(c.Name, "|")
		if len(parts) != 4 || parts[0] != vipChain || parts[1] != fmt.Sprint(w.conn.Port) {
			continue
		}
		for _, host := range w.dump.names(w.req.Host) {
			if parts[3] == host {
				w.chain(l, chainPick{chain: c}, body.sniff(w.conn, w.req.Protocol))
				w.detail("filter chain", "that follows from the chain's name: the address of "+host+" is not known")
				return
			}
		}
	}
	w.stuck("filter chain", "the address of "+w.req.Host+" is not known: name it with --to-ip", "the address that the client connects to: name it with --to-ip")
}

// inner is the listener behind the tunnel of a waypoint; nil for other proxies.
func (d *Dump) inner() *listener {
	if !strings.HasPrefix(d.Node, "waypoint~") {
		return nil
	}
	for _, l := range d.listeners {
		if l.Name == mainInternal && l.raw != nil && bytes.Contains(l.raw, []byte("internal_listener")) {
			return l
		}
	}
	return nil
}
