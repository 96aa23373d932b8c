package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"k8s.io/streaming/pkg/httpstream"

	"github.com/meshctl/meshctl/internal/hint"
)

// The node reports a failed connection on a stream of its own, about when it
// closes the data stream; this is how long the report may lag behind.
const reportLag = time.Second

// podConn is a connection to a pod's port, carried by a stream of a tunnel.
// It knows no deadlines: end it by closing it.
type podConn struct {
	tunnel        *Tunnel
	port          int
	data, failure httpstream.Stream
	report        chan string // what the node says went wrong; closed after it
	reportOnce    sync.Once
	reported      error
	closeOnce     sync.Once
}

func newPodConn(t *Tunnel, port int, data, failure httpstream.Stream) *podConn {
	c := &podConn{tunnel: t, port: port, data: data, failure: failure, report: make(chan string, 1)}
	go func() {
		defer close(c.report)
		if b, _ := io.ReadAll(io.LimitReader(failure, 4096)); len(b) > 0 {
			c.report <- string(b)
		}
	}()
	return c
}

// Read reads from the pod; where the node could not connect to the port it
// returns that as the error instead of io.EOF.
func (c *podConn) Read(p []byte) (int, error) {
	n, err := c.data.Read(p)
	if errors.Is(err, io.EOF) && n == 0 {
		if failed := c.nodeError(); failed != nil {
			return 0, failed
		}
	}
	return n, err
}

func (c *podConn) nodeError() error {
	c.reportOnce.Do(func() {
		select {
		case text := <-c.report:
			if text != "" {
				// A node begins with "error forwarding port ... to pod ..., uid : ".
				if _, cause, ok := strings.Cut(text, "uid : "); ok {
					text = cause
				}
				c.reported = c.tunnel.portError(c.port, errors.New(oneLine(text)))
			}
		case <-time.After(reportLag):
		}
	})
	return c.reported
}

func (c *podConn) Write(p []byte) (int, error) { return c.data.Write(p) }

// CloseWrite tells the pod that nothing more will be sent.
func (c *podConn) CloseWrite() error { return c.data.Close() }

func (c *podConn) Close() error {
	c.closeOnce.Do(func() {
		_ = c.data.Close()
		_ = c.data.Reset()
		_ = c.failure.Reset()
		c.tunnel.conn.RemoveStreams(c.data, c.failure)
	})
	return nil
}

func (c *podConn) LocalAddr() net.Addr { return podAddr("meshctl") }
func (c *podConn) RemoteAddr() net.Addr {
	return podAddr(fmt.Sprintf("%s.%s:%d", c.tunnel.pod, c.tunnel.namespace, c.port))
}

func (*podConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (*podConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (*podConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

type podAddr string

func (podAddr) Network() string  { return "pod" }
func (a podAddr) String() string { return string(a) }

// HTTP is a client whose requests all go to one port of the pod, whatever
// host their URL names. Close the tunnel to end its connections.
func (t *Tunnel) HTTP(port int) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return t.Dial(ctx, port) },
			DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Get reads pathAndQuery from an HTTP port of the pod. ctx also bounds the
// reading of the body, which the caller closes.
func (t *Tunnel) Get(ctx context.Context, port int, pathAndQuery string) (io.ReadCloser, error) {
	return body(t.response(ctx, http.MethodGet, fmt.Sprintf("reading %s from port %d of pod %s.%s", pathAndQuery, port, t.pod, t.namespace), port, pathAndQuery))
}

// Post is [Tunnel.Get] with an empty POST request, for what changes something.
func (t *Tunnel) Post(ctx context.Context, port int, pathAndQuery string) (io.ReadCloser, error) {
	return body(t.response(ctx, http.MethodPost, fmt.Sprintf("sending %s to port %d of pod %s.%s", pathAndQuery, port, t.pod, t.namespace), port, pathAndQuery))
}

func body(resp *http.Response, err error) (io.ReadCloser, error) {
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// response is the whole answer, always a success.
func (t *Tunnel) response(ctx context.Context, method, doing string, port int, pathAndQuery string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("http://localhost:%d%s", port, pathAndQuery), nil)
	if err != nil {
		return nil, hint.Failf("", "%s: %w", doing, err)
	}
	resp, err := t.HTTP(port).Do(req)
	if err != nil {
		return nil, getError(doing, err)
	}
	if resp.StatusCode != http.StatusOK {
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return nil, hint.Unanswerablef("is this port of this pod what meshctl takes it for?", "%s: %w", doing, &StatusError{Code: resp.StatusCode, Text: oneLine(string(text))})
	}
	return resp, nil
}

// StatusError is an answer of a pod that is not a success.
type StatusError struct {
	// Code is the HTTP status, Text the beginning of the answer on one line.
	Code int
	Text string
}

// Error is the status and what the pod said.
func (e *StatusError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("HTTP status %d %s: %s", e.Code, http.StatusText(e.Code), e.Text), ": ")
}

func getError(doing string, err error) error {
	var known *hint.Error
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return hint.Unanswerablef("it is slow or hangs; give it longer with --timeout", "%s: no answer before the deadline", doing)
	}
	return hint.Unanswerablef("check that the pod still runs", "%s: %w", doing, err)
}

// PodGet reads pathAndQuery from an HTTP port of a pod over a tunnel of its
// own, which closes with the body.
func (c *Client) PodGet(ctx context.Context, namespace, pod string, port int, pathAndQuery string) (io.ReadCloser, error) {
	t, err := c.Tunnel(ctx, namespace, pod)
	if err != nil {
		return nil, err
	}
	body, err := t.Get(ctx, port, pathAndQuery)
	if err != nil {
		_ = t.Close()
		return nil, err
	}
	return &tunnelBody{ReadCloser: body, tunnel: t}, nil
}

type tunnelBody struct {
	io.ReadCloser
	tunnel *Tunnel
}

func (b *tunnelBody) Close() error {
	return errors.Join(b.ReadCloser.Close(), b.tunnel.Close())
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
