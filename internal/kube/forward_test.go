package kube

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/streaming/pkg/httpstream"
	streamspdy "k8s.io/streaming/pkg/httpstream/spdy"

	"github.com/meshctl/meshctl/internal/hint"
)

// fakeAPI is the port-forward part of an API server: it speaks plain SPDY, as
// servers before WebSocket tunnels do, so the fallback is what these tests
// take; the bed's tests take the other way.
type fakeAPI struct {
	*httptest.Server
	backends map[string]string // "pod:port" to a local address
	tunnels  atomic.Int32
	mu       sync.Mutex
	open     []httpstream.Connection
}

func newFakeAPI(t *testing.T) *fakeAPI {
	f := &fakeAPI{backends: map[string]string{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() { f.breakTunnels(); f.CloseClientConnections(); f.Close() })
	return f
}

func (f *fakeAPI) client() *Client {
	return &Client{config: func() (*rest.Config, error) { return &rest.Config{Host: f.URL}, nil }}
}

func (f *fakeAPI) serve(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/") // /api/v1/namespaces/NS/pods/POD/portforward
	pod := parts[6]
	status := func(code int, reason string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"pod %s: %s","reason":%q,"code":%d}`, pod, reason, reason, code)
	}
	switch pod {
	case "gone":
		status(http.StatusNotFound, "NotFound")
		return
	case "secret":
		status(http.StatusForbidden, "Forbidden")
		return
	case "hangs":
		<-r.Context().Done()
		return
	}
	if !strings.EqualFold(r.Header.Get("Upgrade"), streamspdy.HeaderSpdy31) {
		http.Error(w, "upgrade to websocket not supported", http.StatusBadRequest)
		return
	}
	w.Header().Set(httpstream.HeaderProtocolVersion, "portforward.k8s.io")
	streams := make(chan httpstream.Stream, 64)
	conn := streamspdy.NewResponseUpgrader().UpgradeResponse(w, r, func(s httpstream.Stream, _ <-chan struct{}) error {
		streams <- s
		return nil
	})
	if conn == nil {
		return
	}
	f.tunnels.Add(1)
	f.mu.Lock()
	f.open = append(f.open, conn)
	f.mu.Unlock()
	f.forward(pod, conn, streams)
}

func (f *fakeAPI) forward(pod string, conn httpstream.Connection, streams <-chan httpstream.Stream) {
	failures := map[string]httpstream.Stream{}
	for {
		select {
		case <-conn.CloseChan():
			return
		case s := <-streams:
			id := s.Headers().Get(corev1.PortForwardRequestIDHeader)
			if s.Headers().Get(corev1.StreamType) == corev1.StreamTypeError {
				failures[id] = s
				continue
			}
			go f.carry(pod, s, failures[id])
		}
	}
}

func (f *fakeAPI) carry(pod string, data, failure httpstream.Stream) {
	defer func() { _ = failure.Close(); _ = data.Close() }()
	backend, err := net.Dial("tcp", f.backends[pod+":"+data.Headers().Get(corev1.PortHeader)])
	if err != nil {
		fmt.Fprintf(failure, "error forwarding port 81 to pod abc, uid : %v: connection refused", err)
		return
	}
	defer func() { _ = backend.Close() }()
	go func() { _, _ = io.Copy(backend, data); _ = backend.(*net.TCPConn).CloseWrite() }()
	_, _ = io.Copy(data, backend)
}

func (f *fakeAPI) breakTunnels() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.open {
		_ = c.Close()
	}
	f.open = nil
}

// serving is a local HTTP server that answers text, registered as a pod's port.
func (f *fakeAPI) serving(t *testing.T, podPort, text string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			http.Error(w, "no such\n thing", http.StatusBadRequest)
			return
		}
		fmt.Fprint(w, text+r.URL.RawQuery)
	}))
	t.Cleanup(s.Close)
	f.backends[podPort] = s.Listener.Addr().String()
}

func read(t *testing.T, body io.ReadCloser, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestOneTunnelServesManyRequests(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t)
	big := strings.Repeat("x", 3<<20)
	api.serving(t, "web:15000", big)
	api.serving(t, "web:15014", "metrics ")
	tunnel, err := api.client().Tunnel(t.Context(), "shop", "web")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		body, err := tunnel.Get(t.Context(), 15000, fmt.Sprintf("/config_dump?%d", i))
		if got := read(t, body, err); got != big+fmt.Sprint(i) {
			t.Fatalf("request %d: %d bytes", i, len(got))
		}
	}
	body, err := tunnel.Get(t.Context(), 15014, "/metrics?a")
	if got := read(t, body, err); got != "metrics a" {
		t.Errorf("other port: %q", got)
	}
	if n := api.tunnels.Load(); n != 1 {
		t.Errorf("%d tunnels for one pod", n)
	}
	if err := tunnel.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-tunnel.Done():
	case <-time.After(5 * time.Second):
		t.Error("a closed tunnel is not done")
	}
}

func TestPodGetErrors(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t)
	api.serving(t, "web:15000", "")
	for _, tc := range []struct {
		name, pod string
		port      int
		path      string
		want, tip string
	}{
		{"nothing listens", "web", 81, "/", "connecting to port 81 of pod web.shop: connection refused", "nothing listens on port 81"},
		{"pod is gone", "gone", 80, "/", "connecting to pod gone.shop: the pod is gone", "deleted or replaced"},
		{"forbidden", "secret", 80, "/", `connecting to pod secret.shop: forbidden: pod secret: Forbidden`, "pods/portforward"},
		{"no answer", "hangs", 80, "/", "connecting to pod hangs.shop: no answer before the deadline", "--timeout"},
		{"HTTP error", "web", 15000, "/bad", "reading /bad from port 15000 of pod web.shop: HTTP status 400 Bad Request: no such thing", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			if tc.pod == "hangs" {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
				defer cancel()
			}
			_, err := api.client().PodGet(ctx, "shop", tc.pod, tc.port, tc.path)
			if err == nil || err.Error() != tc.want {
				t.Fatalf("error %q, want %q", err, tc.want)
			}
			if !strings.Contains(hint.Of(err), tc.tip) || hint.Of(err) == "" {
				t.Errorf("hint %q, want %q in it", hint.Of(err), tc.tip)
			}
			if hint.ClassOf(err) != hint.Unanswerable {
				t.Errorf("class %v", hint.ClassOf(err))
			}
		})
	}
}

func TestForwardFollowsTheReplacedPod(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t)
	api.serving(t, "old:20001", "old")
	api.serving(t, "new:20001", "new")
	var pod atomic.Value
	pod.Store("old")
	said := make(chan string, 64)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f, err := api.client().Forward(ctx, ForwardOptions{
		Port:   20001,
		Pick:   func(context.Context) (string, string, error) { return "shop", pod.Load().(string), nil },
		Notify: func(s string) { said <- s },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := fetch(t, f.Addr()); got != "old" {
		t.Fatalf("got %q", got)
	}
	pod.Store("new")
	api.breakTunnels()
	for _, want := range []string{"lost the connection to pod old.shop: connecting again", "forwarding to pod new.shop"} {
		select {
		case got := <-said:
			if got != want {
				t.Errorf("said %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("it never said %q", want)
		}
	}
	if got := fetch(t, f.Addr()); got != "new" || f.Pod() != "new.shop" {
		t.Errorf("after the pod was replaced: %q from %s", got, f.Pod())
	}
	cancel()
	<-f.Done()
	if f.Err() != nil {
		t.Errorf("ended with %v", f.Err())
	}
}

func TestForwardLocalPort(t *testing.T) {
	t.Parallel()
	api := newFakeAPI(t)
	taken, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	port := taken.Addr().(*net.TCPAddr).Port
	api.serving(t, fmt.Sprintf("web:%d", port), "hello")
	o := ForwardOptions{Port: port, Pick: func(context.Context) (string, string, error) { return "shop", "web", nil }}

	f, err := api.client().Forward(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := fetch(t, f.Addr()); got != "hello" {
		t.Errorf("on a free port: %q", got)
	}
	o.LocalPort = port
	_, err = api.client().Forward(t.Context(), o)
	if want := fmt.Sprintf("listening on localhost:%d: the port is in use", port); err == nil || err.Error() != want {
		t.Errorf("on a taken port: %v, want %q", err, want)
	}
}

func fetch(t *testing.T, addr string) string {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
