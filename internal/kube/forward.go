package kube

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	constants "k8s.io/apimachinery/pkg/util/portforward"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/client-go/transport/websocket"
	"k8s.io/streaming/pkg/httpstream"
	streamspdy "k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/meshctl/meshctl/internal/hint"
)

// Tunnel is one connection through the API server to one pod. It carries any
// number of streams to any of the pod's ports, without a local listener. What
// one stream brings and nobody reads holds up the others.
type Tunnel struct {
	namespace, pod string
	conn           httpstream.Connection
	nextID         atomic.Int64
	closeOnce      sync.Once
}

// Tunnel connects to a pod. ctx bounds only the connecting: close the tunnel
// when it is no longer needed.
func (c *Client) Tunnel(ctx context.Context, namespace, pod string) (*Tunnel, error) {
	cfg, err := c.Config()
	if err != nil {
		return nil, err
	}
	target, err := portForwardURL(cfg, namespace, pod)
	if err != nil {
		return nil, tunnelError(namespace, pod, err)
	}
	type dialled struct {
		conn httpstream.Connection
		err  error
	}
	done := make(chan dialled, 1)
	go func() {
		conn, err := dialStreams(ctx, cfg, target)
		done <- dialled{conn, err}
	}()
	select {
	case d := <-done:
		if d.err != nil {
			return nil, tunnelError(namespace, pod, d.err)
		}
		return &Tunnel{namespace: namespace, pod: pod, conn: d.conn}, nil
	case <-ctx.Done():
		// The handshake knows no context everywhere: a late connection is closed.
		go func() {
			if d := <-done; d.conn != nil {
				_ = d.conn.Close()
			}
		}()
		return nil, tunnelError(namespace, pod, ctx.Err())
	}
}

// Dial opens a stream to a port of the pod.
func (t *Tunnel) Dial(ctx context.Context, port int) (net.Conn, error) {
	type opened struct {
		conn net.Conn
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		conn, err := t.open(port)
		done <- opened{conn, err}
	}()
	select {
	case o := <-done:
		return o.conn, o.err
	case <-ctx.Done():
		go func() {
			if o := <-done; o.conn != nil {
				_ = o.conn.Close()
			}
		}()
		return nil, t.portError(port, ctx.Err())
	}
}

// Done is closed when the connection to the pod is lost or closed.
func (t *Tunnel) Done() <-chan bool { return t.conn.CloseChan() }

// Close ends the tunnel and all its streams.
func (t *Tunnel) Close() error {
	var err error
	t.closeOnce.Do(func() { err = t.conn.Close() })
	return err
}

func (t *Tunnel) open(port int) (net.Conn, error) {
	headers := http.Header{}
	headers.Set(corev1.StreamType, corev1.StreamTypeError)
	headers.Set(corev1.PortHeader, strconv.Itoa(port))
	headers.Set(corev1.PortForwardRequestIDHeader, strconv.FormatInt(t.nextID.Add(1), 10))
	failure, err := t.conn.CreateStream(headers)
	if err != nil {
		return nil, t.portError(port, err)
	}
	_ = failure.Close() // nothing is ever written to it
	headers.Set(corev1.StreamType, corev1.StreamTypeData)
	data, err := t.conn.CreateStream(headers)
	if err != nil {
		_ = failure.Reset()
		t.conn.RemoveStreams(failure)
		return nil, t.portError(port, err)
	}
	return newPodConn(t, port, data, failure), nil
}

func portForwardURL(cfg *rest.Config, namespace, pod string) (*url.URL, error) {
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, err
	}
	return base.JoinPath("api", "v1", "namespaces", namespace, "pods", pod, "portforward"), nil
}

// dialStreams tunnels SPDY through a WebSocket, and falls back to plain SPDY
// for API servers and proxies that do not know that, as kubectl does.
func dialStreams(ctx context.Context, cfg *rest.Config, target *url.URL) (httpstream.Connection, error) {
	conn, err := dialWebSocket(ctx, cfg, target)
	if err == nil || !fallBack(err) {
		return conn, err
	}
	return dialSPDY(ctx, cfg, target)
}

func dialWebSocket(ctx context.Context, cfg *rest.Config, target *url.URL) (httpstream.Connection, error) {
	transport, holder, err := websocket.RoundTripperFor(cfg)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	ws, err := websocket.Negotiate(transport, holder, req, constants.WebsocketsSPDYTunnelingPrefix+portforward.PortForwardProtocolV1Name)
	if err != nil {
		return nil, err
	}
	return streamspdy.NewClientConnectionWithPings(portforward.NewTunnelingConnection("meshctl", ws), portforward.PingPeriod)
}

func dialSPDY(ctx context.Context, cfg *rest.Config, target *url.URL) (httpstream.Connection, error) {
	transport, upgrader, err := spdy.RoundTripperFor(cfg)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), nil)
	if err != nil {
		return nil, err
	}
	conn, _, err := spdy.NegotiateStreaming(upgrader, &http.Client{Transport: transport}, req, portforward.PortForwardProtocolV1Name)
	return conn, err
}

// fallBack says whether plain SPDY is worth a try: not when the API server
// understood the request and refused it.
func fallBack(err error) bool {
	var upgrade *httpstream.UpgradeFailureError
	if errors.As(err, &upgrade) {
		var status apierrors.APIStatus
		if errors.As(upgrade.Cause, &status) {
			code := status.Status().Code
			return code != http.StatusUnauthorized && code != http.StatusForbidden && code != http.StatusNotFound
		}
		return true
	}
	return httpstream.IsHTTPSProxyError(err)
}

// tunnelError says what went wrong on the way to the pod.
func tunnelError(namespace, pod string, err error) error {
	var upgrade *httpstream.UpgradeFailureError
	if errors.As(err, &upgrade) && upgrade.Cause != nil {
		err = upgrade.Cause
	}
	doing := fmt.Sprintf("connecting to pod %s.%s", pod, namespace)
	switch {
	case apierrors.IsNotFound(err):
		return hint.Unanswerablef("it was deleted or replaced meanwhile; `kubectl get pods -n "+namespace+"` shows what is there", "%s: the pod is gone", doing)
	case apierrors.IsForbidden(err):
		return hint.Unanswerablef("port-forwarding needs the verbs get and create on pods/portforward in namespace "+namespace, "%s: forbidden: %s", doing, reason(err))
	}
	var known *hint.Error
	if explained := Explain(doing, err); errors.As(explained, &known) && known.Class != hint.Failed {
		return explained
	}
	return hint.Unanswerablef("check that the pod runs, and that the API server reaches its node: `kubectl port-forward -n "+namespace+" pod/"+pod+" 8080`", "%s: %w", doing, err)
}

// portError says what went wrong on the last step, from the node to the port.
func (t *Tunnel) portError(port int, err error) error {
	doing := fmt.Sprintf("connecting to port %d of pod %s.%s", port, t.pod, t.namespace)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return hint.Unanswerablef("the pod or its node does not answer; give it longer with --timeout", "%s: no answer before the deadline", doing)
	case errors.Is(err, context.Canceled):
		return err
	case strings.Contains(err.Error(), "refused"):
		return hint.Unanswerablef(fmt.Sprintf("nothing listens on port %d there: the container is not up yet, or this pod does not have what was asked for", port), "%s: connection refused", doing)
	}
	return hint.Unanswerablef("check that the pod still runs: `kubectl get pod -n "+t.namespace+" "+t.pod+"`", "%s: %w", doing, err)
}
