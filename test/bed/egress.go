package bed

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// startEgress serves the API server's way into the cluster: CONNECT to a Service's or a pod's address reaches the program
// of that pod, CONNECT to loopback passes (the kubelet endpoint, webhooks named by URL).
func (b *Bed) startEgress() error {
	l, err := net.Listen("unix", b.socket("egress"))
	if err != nil {
		return fmt.Errorf("starting the egress proxy: %w", err)
	}
	if err := os.Chmod(b.socket("egress"), 0o600); err != nil {
		return err
	}
	serve(b.life, l, http.HandlerFunc(b.connect))
	return nil
}

func (b *Bed) connect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	upstream, err := b.dialCluster(ctx, r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		_ = upstream.Close()
		return
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		_ = conn.Close()
		_ = upstream.Close()
		return
	}
	join(upstream, bufferedConn{conn, rw})
	_ = conn.Close()
}

// bufferedConn reads first what the server had read ahead.
type bufferedConn struct {
	net.Conn
	r io.Reader
}

func (c bufferedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

func (c bufferedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}

// dialCluster connects to host:port as the cluster's network would.
func (b *Bed) dialCluster(ctx context.Context, hostport string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseInt(portText, 10, 32)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", hostport)
	}
	return b.runtime.dialAddress(ctx, host, int32(port))
}
