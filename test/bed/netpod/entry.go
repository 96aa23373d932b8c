package netpod

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// serveEntry makes the connections that Dial asks for.
func serveEntry(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go enter(conn)
	}
}

func enter(in net.Conn) {
	defer in.Close()
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return
	}
	var c Call
	if json.Unmarshal(line, &c) != nil {
		return
	}
	to := c.To
	if c.Via != 0 {
		to = netip.AddrPortFrom(to.Addr(), c.Via)
	}
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(c.From), Timeout: 5 * time.Second}
	out, err := d.Dial("tcp4", to.String())
	if err != nil {
		return
	}
	defer out.Close()
	if c.Via != 0 {
		if _, err := out.Write(proxyHeader(c.From, c.To)); err != nil {
			return
		}
	}
	splice(r, in, out)
}

// proxyHeader is version 2 of the PROXY protocol, for TCP over IPv4.
func proxyHeader(from, to netip.AddrPort) []byte {
	h := []byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c")
	src, dst := from.Addr().As4(), to.Addr().As4()
	h = append(append(h, src[:]...), dst[:]...)
	return append(h, byte(from.Port()>>8), byte(from.Port()), byte(to.Port()>>8), byte(to.Port()))
}

// splice copies both ways until the far end has closed, passing on half-closes.
func splice(r io.Reader, in, out net.Conn) {
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(out, r)
		closeWrite(out)
	})
	_, _ = io.Copy(in, out)
	closeWrite(in)
	_ = in.SetReadDeadline(time.Now()) // nobody reads any more what else it sends
	both.Wait()
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
