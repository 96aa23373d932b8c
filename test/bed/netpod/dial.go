package netpod

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
)

// Call says which connection to make in the namespace.
type Call struct {
	From netip.AddrPort `json:"from"`
	To   netip.AddrPort `json:"to"`
	// Via is Envoy's port that iptables would have sent the connection to, which then begins with a PROXY header; 0 for
	// none, then Envoy listens on To itself.
	Via uint16 `json:"via,omitempty"`
}

// Dial makes a connection in the namespace behind a socket. That it is refused there shows as its end.
func Dial(ctx context.Context, socket string, c Call) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("dialing %s from %s: %w", c.To, c.From, err)
	}
	if err := json.NewEncoder(conn).Encode(c); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("dialing %s from %s: %w", c.To, c.From, err)
	}
	return conn, nil
}
