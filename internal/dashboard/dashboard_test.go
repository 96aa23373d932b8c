package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/hint"
)

// fakeCluster has pods by "namespace selector", and forwards to a test server.
type fakeCluster struct {
	pods map[string][]Pod
	addr string
}

func (f fakeCluster) Pods(_ context.Context, namespace, selector string) ([]Pod, error) {
	if f.pods == nil {
		return nil, hint.Unanswerablef("ask", "forbidden")
	}
	var found []Pod
	for key, pods := range f.pods {
		ns, s, _ := strings.Cut(key, " ")
		if s == selector && (namespace == "" || ns == namespace) {
			found = append(found, pods...)
		}
	}
	return found, nil
}

func (f fakeCluster) Forward(ctx context.Context, t Target) (Forwarding, error) {
	if _, _, err := t.Pick(ctx); err != nil {
		return nil, err
	}
	return fakeForwarding{f.addr, ctx.Done()}, nil
}

type fakeForwarding struct {
	addr string
	done <-chan struct{}
}

func (f fakeForwarding) Addr() string          { return f.addr }
func (f fakeForwarding) Done() <-chan struct{} { return f.done }
func (f fakeForwarding) Err() error            { return nil }

func running(namespace, name string, ready bool) Pod {
	return Pod{Namespace: namespace, Name: name, Phase: "Running", Ready: ready}
}

func kiali(t *testing.T) Dashboard {
	t.Helper()
	d, ok := Named("kiali")
	if !ok {
		t.Fatal("no kiali")
	}
	return d
}

func TestAllDashboards(t *testing.T) {
	t.Parallel()
	var names []string
	for _, d := range All() {
		names = append(names, d.Name)
		if d.About == "" || d.Port == 0 || !strings.HasPrefix(d.Path, "/") || !strings.HasPrefix(d.Ready, "/") {
			t.Errorf("%s is incomplete: %+v", d.Name, d)
		}
		if len(d.Selectors) == 0 && !d.OfPod {
			t.Errorf("%s cannot be found", d.Name)
		}
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names %v", names)
	}
	if _, ok := Named("nagios"); ok {
		t.Error("there is a nagios")
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	both := []string{"istio-system", "shop"}
	for _, tc := range []struct {
		name string
		pods map[string][]Pod
		want string
		tip  string
	}{
		{"a ready pod first", map[string][]Pod{"istio-system app=kiali": {running("istio-system", "a", false), running("istio-system", "b", true)}}, "b.istio-system", ""},
		{"a running one is better than none", map[string][]Pod{"istio-system app=kiali": {{Name: "a", Phase: "Failed"}, running("istio-system", "b", false)}}, "b.istio-system", ""},
		{"the control plane's namespace first", map[string][]Pod{"shop app=kiali": {running("shop", "a", true)}, "istio-system app=kiali": {running("istio-system", "b", false)}}, "b.istio-system", ""},
		{"then the current one", map[string][]Pod{"shop app=kiali": {running("shop", "a", true)}}, "a.shop", ""},
		{"by the other label", map[string][]Pod{"shop app.kubernetes.io/name=kiali": {running("shop", "a", true)}}, "a.shop", ""},
		{"not running", map[string][]Pod{"shop app=kiali": {{Namespace: "shop", Name: "a", Phase: "Pending"}}},
			"opening kiali: its pod a.shop is Pending", "kubectl describe pod -n shop a"},
		{"nowhere", map[string][]Pod{"shop app=jaeger": {running("shop", "j", true)}, "istio-system app=grafana": {running("istio-system", "g", true)}},
			"there is no kiali in namespace istio-system or shop", "`meshctl install --set addons.kiali.enabled=true` installs it; dashboards that are there: grafana, jaeger"},
		{"elsewhere", map[string][]Pod{"monitoring app=kiali": {running("monitoring", "k", true)}},
			"there is no kiali in namespace istio-system or shop", "there is one in namespace monitoring: add -n monitoring"},
		{"may not look", nil, "forbidden", "ask"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			pod, err := Find(t.Context(), fakeCluster{pods: tc.pods}, kiali(t), both)
			got := pod.Name + "." + pod.Namespace
			if err != nil {
				got = err.Error()
				if hint.ClassOf(err) != hint.Unanswerable {
					t.Errorf("class %v", hint.ClassOf(err))
				}
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			if hint.Of(err) != tc.tip && !strings.Contains(hint.Of(err), tc.tip) {
				t.Errorf("hint %q, want %q", hint.Of(err), tc.tip)
			}
		})
	}
}

func picking(name string) func(context.Context) (string, string, error) {
	return func(context.Context) (string, string, error) { return "istio-system", name, nil }
}

func TestOpenWaitsUntilItAnswers(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/kiali/healthz" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	session, err := Open(ctx, fakeCluster{addr: s.Listener.Addr().String()}, kiali(t), Target{Pick: picking("kiali"), Address: "localhost"}, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	if want := fmt.Sprintf("http://localhost:%s/kiali", port); session.URL != want {
		t.Errorf("URL %s, want %s", session.URL, want)
	}
	if asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
	cancel()
	if err := session.Wait(); err != nil {
		t.Errorf("Ctrl-C is an error: %v", err)
	}
}

func TestOpenGivesUp(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer s.Close()
	cluster := fakeCluster{addr: s.Listener.Addr().String()}
	_, err := Open(t.Context(), cluster, kiali(t), Target{Pick: picking("kiali")}, 300*time.Millisecond)
	if want := "opening kiali: it does not answer: HTTP status 502 Bad Gateway"; err == nil || err.Error() != want || hint.ClassOf(err) != hint.Unanswerable {
		t.Errorf("error %v, want %q", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, cluster, kiali(t), Target{Pick: picking("kiali")}, time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C: %v", err)
	}
	failing := Target{Pick: func(context.Context) (string, string, error) { return "", "", errors.New("no pod") }}
	if _, err := Open(t.Context(), cluster, kiali(t), failing, time.Minute); err == nil || err.Error() != "no pod" {
		t.Errorf("no pod: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		asked, visit string
		exposed      bool
	}{
		{"", "localhost:80", false}, {"localhost", "localhost:80", false}, {"127.0.0.2", "127.0.0.2:80", false}, {"::1", "[::1]:80", false},
		{"0.0.0.0", "localhost:80", true}, {"::", "localhost:80", true}, {"192.0.2.7", "192.0.2.7:80", true}, {"my.host", "my.host:80", true},
	} {
		if got := visitable("127.0.0.1:80", tc.asked); got != tc.visit {
			t.Errorf("%s: %s, want %s", tc.asked, got, tc.visit)
		}
		if got := Exposed(tc.asked); got != tc.exposed {
			t.Errorf("%s exposed: %v", tc.asked, got)
		}
	}
}
