package kube

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube/apitest"
	"github.com/meshctl/meshctl/internal/mesh"
)

// faulty is a client of an API server with n Services, a VirtualService and a fault.
func faulty(t *testing.T, n int, fault apitest.Fault) (*Client, *apitest.Server) {
	t.Helper()
	documents := []string{
		"{apiVersion: v1, kind: Namespace, metadata: {name: shop}}",
		"{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: cart, namespace: shop}, spec: {hosts: [cart]}}",
	}
	for i := range n {
		documents = append(documents, fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: s%d, namespace: shop}, spec: {ports: [{port: 80}]}}", i))
	}
	server, err := apitest.New(documents...)
	if err != nil {
		t.Fatal(err)
	}
	server.Fault = fault
	file, err := apitest.Kubeconfig(t.TempDir(), []string{"c"}, map[string]string{"c": server.Start(t)})
	if err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &file
	return NewClient(flags, 0), server
}

func readAll(t *testing.T, c *Client, limit time.Duration) (*Live, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return c.Read(ctx, ReadOptions{Kinds: []mesh.Kind{mesh.Service, mesh.VirtualService}, IstioNamespace: "istio-system"})
}

func count(live *Live, kind mesh.Kind) int {
	refs := map[mesh.Ref]bool{}
	for _, o := range live.Objects {
		if o.Kind == kind {
			refs[o.Ref] = true
		}
	}
	return len(refs)
}

// on is a fault of the requests whose path ends in suffix.
func on(suffix string, fault apitest.Fault) apitest.Fault {
	return func(w http.ResponseWriter, r *http.Request) bool {
		return strings.HasSuffix(r.URL.Path, suffix) && fault(w, r)
	}
}

// cut answers with the first half of a list, and closes the connection.
func cut(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", "100000")
	fmt.Fprint(w, `{"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":{"name":"s0"`)
	return true
}

func TestReadWaitsWhenToldTo(t *testing.T) {
	t.Parallel()
	var refused atomic.Bool
	c, _ := faulty(t, 3, on("/services", func(w http.ResponseWriter, _ *http.Request) bool {
		if refused.Swap(true) {
			return false
		}
		w.Header().Set("Retry-After", "1")
		apitest.Refuse(w, http.StatusTooManyRequests, "TooManyRequests", "slow down")
		return true
	}))
	live, err := readAll(t, c, time.Minute)
	if err != nil || count(live, mesh.Service) != 3 {
		t.Errorf("%v", err)
	}
}

// TestFaultsAreAnswered has a fault that never heals for each way in which an
// API server can fail, and expects a clear error, never a partial answer.
func TestFaultsAreAnswered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault apitest.Fault
		says  string
	}{
		"429 for ever": {on("/services", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "1")
			apitest.Refuse(w, http.StatusTooManyRequests, "TooManyRequests", "slow down")
			return true
		}), "listing services: "},
		"500": {on("/services", func(w http.ResponseWriter, _ *http.Request) bool {
			apitest.Refuse(w, http.StatusInternalServerError, "InternalError", "etcd is on fire")
			return true
		}), "listing services: etcd is on fire"},
		"html": {on("/services", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>please log in</html>")
			return true
		}), "listing services: "},
		"cut body":     {on("/services", cut), "listing services: "},
		"cut dynamic":  {on("/virtualservices", cut), "listing virtualservices: "},
		"never a word": {on("/services", func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }), "listing services: no answer before the deadline"},
		"a word each second": {on("/services", func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			for r.Context().Err() == nil {
				fmt.Fprint(w, " ")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(100 * time.Millisecond):
				}
			}
			return true
		}), "listing services: no answer before the deadline"},
		"no discovery": {on("/apis", func(w http.ResponseWriter, _ *http.Request) bool {
			apitest.Refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", "starting")
			return true
		}), ""},
		"half of the text": {on("/services", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"kind":"ServiceList","apiVersion":"v1","items":[{"metadata":`)
			return true
		}), "listing services: "},
		"half of the text, dynamic": {on("/virtualservices", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"kind":"VirtualServiceList","apiVersion":"v1","items":[{"metadata":`)
			return true
		}), "listing virtualservices: "},
		"silent discovery": {on("/apis", func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }), "asking the cluster for its kinds: no answer before the deadline"},
		"not logged in": {on("/namespaces", func(w http.ResponseWriter, _ *http.Request) bool {
			apitest.Refuse(w, http.StatusUnauthorized, "Unauthorized", "who are you")
			return true
		}), "listing namespaces: not logged in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, _ := faulty(t, 3, c.fault)
			begin := time.Now()
			live, err := readAll(t, client, 3*time.Second)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("read %+v, %v", live, err)
			}
			if hint.ClassOf(err) != hint.Unanswerable {
				t.Errorf("not a question without an answer: %v", err)
			}
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("after %s", took)
			}
		})
	}
}

func TestAnExpiredListBeginsAgain(t *testing.T) {
	t.Parallel()
	n := 2*pageSize + 7
	c, _ := faulty(t, n, on("/services", func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("continue") == "" {
			return false
		}
		apitest.Refuse(w, http.StatusGone, "Expired", "the provided continue parameter is too old")
		return true
	}))
	live, err := readAll(t, c, time.Minute)
	if err != nil || count(live, mesh.Service) != n {
		t.Errorf("%v", err)
	}
}

func TestABrokenGroupOfOthersCostsNothing(t *testing.T) {
	t.Parallel()
	c, _ := faulty(t, 3, on("/apis/telemetry.istio.io/v1", func(w http.ResponseWriter, _ *http.Request) bool {
		apitest.Refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", "the aggregated API is down")
		return true
	}))
	live, err := readAll(t, c, time.Minute)
	if err != nil || count(live, mesh.Service) != 3 || count(live, mesh.VirtualService) != 1 {
		t.Errorf("%v", err)
	}
}

func TestAKindThatDiscoveryCannotTellIsNotEmpty(t *testing.T) {
	t.Parallel()
	c, _ := faulty(t, 3, on("/apis/networking.istio.io/v1", func(w http.ResponseWriter, _ *http.Request) bool {
		apitest.Refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", "starting")
		return true
	}))
	live, err := readAll(t, c, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if len(live.Skipped) != 1 || live.Skipped[0].Kind != mesh.VirtualService || !strings.Contains(live.Skipped[0].Reason, "networking.istio.io/v1 holds: starting") {
		t.Errorf("skipped %v", live.Skipped)
	}
	if count(live, mesh.Service) != 3 {
		t.Errorf("%d services", count(live, mesh.Service))
	}
}
