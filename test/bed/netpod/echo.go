package netpod

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// Seen is what an echo server answers a request with: what it got.
type Seen struct {
	Method string      `json:"method"`
	Host   string      `json:"host"`
	Path   string      `json:"path"` // with its query, as it was sent
	Header http.Header `json:"header"`
	Addr   string      `json:"addr"` // the address that was connected to
	TLS    bool        `json:"tls"`
	SNI    string      `json:"sni,omitempty"`
}

// echo answers connections on the ports; Envoy may have a listener of its own on one, which then is left to it.
type echo struct {
	certificate *tls.Certificate
	http        *http.Server
	conns       chan net.Conn // those that speak HTTP
}

func newEcho(certificate *tls.Certificate) *echo {
	e := &echo{certificate: certificate, conns: make(chan net.Conn)}
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	e.http = &http.Server{Handler: http.HandlerFunc(e.answer), Protocols: protocols, ReadHeaderTimeout: time.Minute,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }}
	go func() { _ = e.http.Serve(e) }()
	return e
}

type connKey struct{}

func (e *echo) serve(ports []uint16) error {
	for _, port := range ports {
		l, err := net.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", port))
		if err != nil {
			return err
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go e.take(conn)
			}
		}()
	}
	return nil
}

// take finds out what a connection speaks by its first bytes.
func (e *echo) take(conn net.Conn) {
	c := peeked{Conn: conn, r: bufio.NewReader(conn)}
	first, err := c.r.Peek(1)
	if err != nil {
		_ = conn.Close()
		return
	}
	if first[0] == 0x16 && e.certificate != nil {
		inner := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*e.certificate}, MinVersion: tls.VersionTLS12,
			ClientAuth: tls.RequestClientCert})
		if inner.Handshake() != nil {
			_ = conn.Close()
			return
		}
		c = peeked{Conn: inner, r: bufio.NewReader(inner), tls: inner}
	}
	if begin, _ := c.r.Peek(4); speaksHTTP(begin) {
		e.conns <- c
		return
	}
	defer c.Close()
	_, _ = io.Copy(c.Conn, c.r)
}

// speaksHTTP tells HTTP, whose first word is a method in capitals, from other TCP, which here begins otherwise.
func speaksHTTP(begin []byte) bool {
	return len(begin) == 4 && bytes.IndexFunc(begin, func(r rune) bool { return (r < 'A' || r > 'Z') && r != ' ' }) < 0
}

func (e *echo) answer(w http.ResponseWriter, r *http.Request) {
	seen := Seen{Method: r.Method, Host: r.Host, Path: r.RequestURI, Header: r.Header}
	if c, ok := r.Context().Value(connKey{}).(peeked); ok {
		seen.Addr = c.LocalAddr().String()
		if c.tls != nil {
			seen.TLS, seen.SNI = true, c.tls.ConnectionState().ServerName
		}
	}
	if r.Header.Get("Upgrade") != "" && r.ProtoMajor == 1 {
		switchProtocols(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(seen)
}

// switchProtocols agrees to any upgrade and then has nothing to say.
func switchProtocols(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
	_ = rw.Flush()
}

// peeked is a connection whose first bytes were looked at.
type peeked struct {
	net.Conn
	r   *bufio.Reader
	tls *tls.Conn // nil for plaintext
}

func (c peeked) Read(b []byte) (int, error) { return c.r.Read(b) }

// Accept makes echo the listener of its HTTP server.
func (e *echo) Accept() (net.Conn, error) {
	if c, ok := <-e.conns; ok {
		return c, nil
	}
	return nil, errors.New("closed")
}

func (e *echo) Close() error   { return nil }
func (e *echo) Addr() net.Addr { return &net.TCPAddr{} }
