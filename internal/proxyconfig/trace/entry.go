package trace

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Outbound walks the request through the client's own proxy, from the
// connection that its application makes.
func Outbound(d *Dump, r *Request) *Walk {
	conn := r.connection()
	if ip := d.nodeIP(); !conn.Source.IsValid() && ip.IsValid() {
		conn.Source = netip.AddrPortFrom(ip, 0)
	}
	w := newWalker(d, "client", r, conn)
	w.enter()
	return w.done()
}

// Gateway walks the request through a gateway's proxy, from the connection
// that somebody makes to it.
func Gateway(d *Dump, r *Request) *Walk {
	w := newWalker(d, "gateway", r, r.connection())
	w.conn.Peer, w.conn.PeerKnown = r.Principal, r.Principal != ""
	if inner := d.inner(); inner != nil {
		w.waypoint(inner)
		return w.done()
	}
	if found := w.gatewayListener(); found != nil {
		w.listen(found)
		return w.done()
	}
	w.refused()
	return w.done()
}

// Inbound walks the request through the server's proxy, from the connection
// that the client's proxy makes.
func Inbound(d *Dump, r *Request, conn *Connection) *Walk {
	w := newWalker(d, "server", r, conn)
	if conn.refused != "" {
		w.step(Step{Name: "TLS", State: Failed, Text: conn.refused})
		w.end(Closed, conn.refused+": the client closes the connection", nil)
		return w.done()
	}
	virtual := d.virtual("INBOUND")
	switch found := d.exact(conn.Destination, conn.Port); {
	case virtual != nil:
		w.at(virtual, fmt.Sprintf("%s takes all connections to the pod, here to port %d", virtual.Name, conn.Port))
		w.listen(virtual)
	case found != nil:
		w.at(found, fmt.Sprintf("%s listens on port %d", found.Name, conn.Port))
		w.listen(found)
	default:
		w.refused()
	}
	return w.done()
}

func (r *Request) connection() *Connection {
	return &Connection{
		Destination: r.Address, Port: r.Port, Source: r.Source, TLS: r.TLS, Plaintext: !r.TLS, SNI: r.SNI, ALPN: r.ALPN,
	}
}

func (w *walker) at(l *listener, text string) {
	s := Step{Name: "listener", State: OK, Text: text}
	if body, err := l.body(); err == nil {
		s.Owner = body.Metadata.owner()
	}
	if l.rejected != "" {
		s.Details = append(s.Details, "its newest version was rejected: "+l.rejected)
	}
	w.step(s)
}

// refused ends the walk where nobody listens.
func (w *walker) refused() {
	var ports []string
	for _, l := range w.dump.listeners {
		for _, a := range l.addresses {
			if l.raw != nil && a.port() != 0 {
				ports = append(ports, fmt.Sprintf("%d (%s)", a.port(), l.Name))
			}
		}
	}
	why := fmt.Sprintf("the proxy does not listen on port %d", w.conn.Port)
	w.step(Step{Name: "listener", State: Failed, Text: why, Details: []string{"it listens on " + listSome(ports, 8)}})
	w.end(NoListener, why+": the connection is refused", nil)
}

// enter finds the listener for a connection of the application: first the one
// that takes all of them, which hands it to the one for the address, if any.
func (w *walker) enter() {
	virtual := w.dump.virtual("OUTBOUND")
	if virtual == nil {
		w.enterDirect()
		return
	}
	ip, from := w.dump.resolve(w.req)
	if ip.IsValid() {
		w.conn.Destination = ip
		if from != "" {
			w.step(Step{Name: "destination", State: OK, Text: fmt.Sprintf("%s is %s, says %s", w.req.Host, ip, from)})
		}
	}
	found := w.dump.exact(ip, w.req.Port)
	switch {
	case found != nil && found != virtual:
		w.at(found, fmt.Sprintf("%s hands connections to %s to %s", virtual.Name, w.target(), found.Name))
	default:
		found = virtual
		w.at(virtual, fmt.Sprintf("%s keeps it: there is no listener for %s", virtual.Name, w.target()))
	}
	if !ip.IsValid() {
		w.detail("listener", fmt.Sprintf("the address of %s is not in this configuration: taken as one that has no listener of its own", w.req.Host))
	}
	w.listen(found)
}

// enterDirect is for proxies that capture nothing: the application connects to
// a listener's own address.
func (w *walker) enterDirect() {
	found := w.dump.exact(w.conn.Destination, w.conn.Port)
	if found == nil {
		w.refused()
		return
	}
	w.at(found, fmt.Sprintf("%s listens on %s", found.Name, w.target()))
	w.listen(found)
}

func (w *walker) target() string {
	if ip := w.conn.Destination; ip.IsValid() {
		return joinHost(ip.String(), w.conn.Port)
	}
	return "port " + strconv.Itoa(w.conn.Port)
}

// virtual is the listener that takes all connections of a direction: the one
// that hands them on by their original destination.
func (d *Dump) virtual(direction string) *listener {
	for _, l := range d.listeners {
		if l.raw == nil || textOf(member(l.raw, "traffic_direction")) != direction {
			continue
		}
		handsOn := string(member(l.raw, "use_original_dst")) == "true" || strings.HasPrefix(l.Name, "virtual")
		if !handsOn && direction == "INBOUND" {
			handsOn = bytes.Contains(member(l.raw, "listener_filters"), []byte("OriginalDst"))
		}
		if handsOn {
			return l
		}
	}
	return nil
}

// exact is the listener for an address: the one of that very address, or else
// the one of all addresses.
func (d *Dump) exact(ip netip.Addr, port int) *listener {
	var wild *listener
	for _, l := range d.listeners {
		if l.raw == nil {
			continue
		}
		for _, a := range l.addresses {
			own := a.ip()
			switch {
			case a.port() != port || !own.IsValid():
			case ip.IsValid() && own == ip.Unmap():
				return l
			case own.IsUnspecified() && (!ip.IsValid() || own.Is4() == ip.Unmap().Is4() || a.Socket.Compat):
				if wild == nil {
					wild = l
				}
			}
		}
	}
	return wild
}

// nodeIP is the proxy's own address, which its node id has.
func (d *Dump) nodeIP() netip.Addr {
	parts := strings.Split(d.Node, "~")
	if len(parts) != 4 {
		return netip.Addr{}
	}
	ip, _ := netip.ParseAddr(parts[1])
	return ip
}

// Namespace is the proxy's namespace, "" when the dump does not tell.
func (d *Dump) Namespace() string {
	if ns := d.bootstrap.Node.Metadata.Namespace; ns != "" {
		return ns
	}
	parts := strings.Split(d.Node, "~")
	if len(parts) != 4 {
		return ""
	}
	_, ns, _ := strings.Cut(parts[2], ".")
	return ns
}
