package agree

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/meshctl/meshctl/test/bed/netpod"
)

// Answer is what a client got.
type Answer struct {
	Code     int
	Location string
	// Seen is what the upstream got, nil when none was reached.
	Seen *netpod.Seen
	// Echo is what a TCP upstream sent back.
	Echo string
	// Err is what went wrong for the client; that Envoy closes the connection is no error of the test.
	Err string
}

// Send makes the request and notes the answer; that Envoy closes the connection is an answer too.
func (m *Mesh) Send(ctx context.Context, r *Request) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	conn, err := m.Bed.DialEnvoy(ctx, r.Set, r.Through, r.Call)
	if err != nil {
		return err
	}
	defer conn.Close()
	if d, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(d)
	}
	if r.TLS != "none" {
		if conn, err = m.handshake(ctx, conn, r); err != nil {
			r.Answer.Err = err.Error()
			return nil
		}
	}
	switch r.Speak {
	case "tcp":
		r.Answer = sendTCP(conn)
	case "http":
		r.Answer = sendHTTP(conn, r)
	default:
		r.Answer = sendHTTP2(ctx, conn, r)
	}
	return ctx.Err()
}

func (m *Mesh) handshake(ctx context.Context, conn net.Conn, r *Request) (net.Conn, error) {
	config := &tls.Config{ServerName: r.Trace.SNI, NextProtos: r.Trace.ALPN, InsecureSkipVerify: true} //nolint:gosec // who answers is no question here
	if r.TLS == "mesh" {
		id, err := m.identity(ctx, "spiffe://"+r.Trace.Principal)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{id}
	}
	c := tls.Client(conn, config)
	return c, c.HandshakeContext(ctx)
}

const tcpGreeting = "hello, not HTTP\n"

func sendTCP(conn net.Conn) (a Answer) {
	if _, err := io.WriteString(conn, tcpGreeting); err != nil {
		return Answer{Err: err.Error()}
	}
	got := make([]byte, len(tcpGreeting))
	n, err := io.ReadFull(conn, got)
	if err != nil {
		a.Err = err.Error()
	}
	a.Echo = string(got[:n])
	return a
}

// sendHTTP writes the request itself: a library would mend what is odd in it.
func sendHTTP(conn net.Conn, r *Request) Answer {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Trace.Method, r.Trace.Path, r.Trace.Authority)
	for _, h := range r.Trace.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	b.WriteString("\r\n")
	if _, err := conn.Write(b.Bytes()); err != nil {
		return Answer{Err: err.Error()}
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: r.Trace.Method})
	if err != nil {
		return Answer{Err: err.Error()}
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		_, _ = io.Copy(io.Discard, conn) // the upstream ends it at once
	}
	return read(resp)
}

func sendHTTP2(ctx context.Context, conn net.Conn, r *Request) Answer {
	protocols := &http.Protocols{}
	protocols.SetUnencryptedHTTP2(true)
	// The wrapping hides that the connection may be TLS: which protocol it carries is settled.
	dial := func(context.Context, string, string) (net.Conn, error) { return struct{ net.Conn }{conn}, nil }
	t := &http.Transport{Protocols: protocols, DisableCompression: true, DialContext: dial, DialTLSContext: dial}
	defer t.CloseIdleConnections()
	// An opaque address is sent as it is, whatever is in it.
	u := &url.URL{Scheme: r.Trace.Scheme, Host: r.Trace.Authority, Opaque: "//" + r.Trace.Authority + r.Trace.Path}
	req := (&http.Request{Method: r.Trace.Method, URL: u, Host: r.Trace.Authority, Header: http.Header{}}).WithContext(ctx)
	for _, h := range r.Trace.Headers {
		req.Header.Add(h.Name, h.Value)
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header["User-Agent"] = []string{""} // else the library sends its own
	}
	resp, err := t.RoundTrip(req)
	if err != nil {
		return Answer{Err: err.Error()}
	}
	return read(resp)
}

func read(resp *http.Response) Answer {
	defer resp.Body.Close()
	a := Answer{Code: resp.StatusCode, Location: resp.Header.Get("Location")}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	var seen netpod.Seen
	if json.Unmarshal(body, &seen) == nil && seen.Addr != "" {
		a.Seen = &seen
	}
	return a
}
