package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
)

func objectsAt(t *testing.T, url string) *Objects {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: %q}}]\n", url)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &file
	return NewObjects(NewClient(flags, 5*time.Second), "test")
}

func TestLinkTellsWhenTheServerGoesAndComes(t *testing.T) {
	t.Parallel()
	gone := errors.New("connection refused")
	answers := []error{nil, nil, gone, gone, nil, nil}
	ticks := make(chan time.Time, len(answers))
	ctx, stop := context.WithCancel(t.Context())
	for range answers {
		ticks <- time.Time{}
	}
	var said []error
	asked := 0
	watchLink(ctx, ticks, func() error {
		err := answers[asked]
		if asked++; asked == len(answers) {
			defer stop()
		}
		return err
	}, func(err error) { said = append(said, err) })
	if len(said) != 3 || !errors.Is(said[0], gone) || !errors.Is(said[1], gone) || said[2] != nil {
		t.Errorf("said %v", said)
	}
}

func TestAlive(t *testing.T) {
	t.Parallel()
	for _, code := range []int{200, 401, 403, 500} { // any answer is one
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }))
		err := alive(t.Context(), discoveryAt(t, s.URL))
		s.Close()
		if err != nil {
			t.Errorf("%d: %v", code, err)
		}
		if err := alive(t.Context(), discoveryAt(t, s.URL)); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("a closed server: %v", err)
		}
	}
}

func discoveryAt(t *testing.T, url string) *discovery.DiscoveryClient {
	t.Helper()
	cfg, err := objectsAt(t, url).client.Config()
	if err != nil {
		t.Fatal(err)
	}
	d, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLogsAreBounded(t *testing.T) {
	t.Parallel()
	var asked atomic.Value
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.Path + "?" + r.URL.Query().Encode())
		_, _ = fmt.Fprint(w, "panic: no\n")
	}))
	defer s.Close()
	text, err := objectsAt(t, s.URL).Logs(t.Context(), "ns", "istiod-1", "discovery", true, 8)
	if err != nil || text != "panic: no\n" {
		t.Errorf("%q, %v", text, err)
	}
	if diff := cmp.Diff("/api/v1/namespaces/ns/pods/istiod-1/log?container=discovery&limitBytes=65536&previous=true&tailLines=8&timeout=5s", asked.Load()); diff != "" {
		t.Error(diff)
	}
}

// An API server that is just starting when a watch is opened is waited for.
func TestFollowWaitsForTheFirstList(t *testing.T) {
	t.Parallel()
	var lists atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := func(v any) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v)
		}
		switch {
		case r.URL.Path == "/api":
			answer(map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
		case r.URL.Path == "/apis":
			answer(map[string]any{"kind": "APIGroupList", "groups": []any{}})
		case r.URL.Path == "/api/v1":
			answer(map[string]any{"kind": "APIResourceList", "groupVersion": "v1", "resources": []any{
				map[string]any{"name": "pods", "kind": "Pod", "namespaced": true, "verbs": []string{"list", "watch"}}}})
		case r.URL.Query().Get("watch") != "":
			<-r.Context().Done()
		case lists.Add(1) == 1:
			http.Error(w, "starting", http.StatusServiceUnavailable)
		default:
			answer(map[string]any{"kind": "PodList", "apiVersion": "v1", "metadata": map[string]any{"resourceVersion": "1"},
				"items": []any{map[string]any{"metadata": map[string]any{"name": "istiod-1", "namespace": "ns"}}}})
		}
	}))
	defer s.Close()
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	seen := ""
	err := objectsAt(t, s.URL).Follow(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, "ns", func(obj *unstructured.Unstructured, _ bool) {
		seen = obj.GetName()
		stop()
	})
	if err != nil || seen != "istiod-1" {
		t.Errorf("saw %q, %v", seen, err)
	}
}
