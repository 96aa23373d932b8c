package kube

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// listServer is an API server that only lists and gets.
type listServer struct {
	// objects are the bodies by URL path; of a list, its items.
	objects map[string][]map[string]any
	// forbidden are paths that nobody may read, silent those that are never answered.
	forbidden, silent []string

	mu    sync.Mutex
	asked []string
}

func item(namespace, name string) map[string]any {
	return map[string]any{"metadata": map[string]any{"namespace": namespace, "name": name}}
}

func (s *listServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.Path)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	answer := func(code int, body map[string]any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(body)
	}
	resources := func(list ...string) {
		items := []any{}
		for i := 0; i < len(list); i += 2 {
			items = append(items, map[string]any{"name": list[i], "kind": list[i+1], "namespaced": true, "verbs": []string{"get", "list"}})
		}
		answer(200, map[string]any{"kind": "APIResourceList", "resources": items})
	}
	switch {
	case slices.Contains(s.silent, r.URL.Path):
		<-r.Context().Done()
	case r.URL.Path == "/api":
		answer(200, map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	case r.URL.Path == "/apis":
		version := map[string]any{"groupVersion": "networking.istio.io/v1beta1", "version": "v1beta1"}
		answer(200, map[string]any{"kind": "APIGroupList", "groups": []any{
			map[string]any{"name": "networking.istio.io", "versions": []any{version}, "preferredVersion": version},
		}})
	case r.URL.Path == "/api/v1":
		resources("services", "Service", "namespaces", "Namespace", "pods", "Pod", "configmaps", "ConfigMap", "secrets", "Secret")
	case r.URL.Path == "/apis/networking.istio.io/v1beta1":
		resources("gateways", "Gateway", "virtualservices", "VirtualService")
	case slices.Contains(s.forbidden, r.URL.Path):
		answer(403, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no " + path.Base(r.URL.Path) + " for you"})
	case s.objects[r.URL.Path] == nil:
		answer(404, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404})
	default:
		s.page(r, answer)
	}
}

// page answers with the part of a list that limit and continue ask for.
func (s *listServer) page(r *http.Request, answer func(int, map[string]any)) {
	items := s.objects[r.URL.Path]
	if strings.Contains(r.URL.Path, "/secrets/") {
		secret := maps.Clone(items[0])
		secret["kind"], secret["apiVersion"] = "Secret", "v1"
		answer(200, secret)
		return
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	to, next := len(items), ""
	if limit > 0 && from+limit < to {
		to = from + limit
		next = strconv.Itoa(to)
	}
	kind := map[string]string{"services": "ServiceList", "pods": "PodList", "namespaces": "NamespaceList", "configmaps": "ConfigMapList", "secrets": "SecretList"}[path.Base(r.URL.Path)]
	answer(200, map[string]any{
		"kind": cmp.Or(kind, "List"), "apiVersion": "v1", "metadata": map[string]any{"continue": next, "resourceVersion": "1"}, "items": items[from:to],
	})
}

func (s *listServer) client(t *testing.T) *Client {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{name: c, context: {cluster: c}}]\n"+
		"clusters: [{name: c, cluster: {server: %q}}]\n", server.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig = &file
	return NewClient(flags, 0)
}

func kindNames(kinds []mesh.Kind) []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Kind)
	}
	return names
}

func TestReadPagesAndFetchesReferredSecrets(t *testing.T) {
	t.Parallel()
	var services []map[string]any
	for i := range 2*pageSize + 7 {
		services = append(services, item("shop", fmt.Sprintf("s%d", i)))
	}
	gateway := item("shop", "public")
	gateway["apiVersion"], gateway["kind"] = "networking.istio.io/v1beta1", "Gateway"
	gateway["spec"] = map[string]any{"selector": map[string]any{"istio": "gw"}, "servers": []any{
		map[string]any{"tls": map[string]any{"mode": "SIMPLE", "credentialName": "cert"}}, map[string]any{"tls": map[string]any{"mode": "SIMPLE", "credentialName": "gone"}},
	}}
	gwPod := item("ingress", "gw-1")
	gwPod["metadata"].(map[string]any)["labels"] = map[string]any{"istio": "gw"}
	s := &listServer{objects: map[string][]map[string]any{
		"/api/v1/namespaces": {item("", "shop")},
		"/api/v1/services":   services,
		"/api/v1/pods":       {gwPod},
		"/api/v1/namespaces/istio-system/configmaps": {item("istio-system", "istio"), item("istio-system", "other")},
		"/apis/networking.istio.io/v1beta1/gateways": {gateway},
		"/api/v1/namespaces/ingress/secrets/cert":    {item("ingress", "cert")},
	}}
	live, err := s.client(t).Read(context.Background(), ReadOptions{
		Kinds:          []mesh.Kind{mesh.Service, mesh.Pod, mesh.Gateway, mesh.Secret, mesh.Telemetry},
		IstioNamespace: "istio-system",
	})
	if err != nil {
		t.Fatal(err)
	}
	snapshot := mesh.New(live.Objects, mesh.Options{Read: live.Read})
	for kind, want := range map[mesh.Kind]int{mesh.Service: 2*pageSize + 7, mesh.Gateway: 1, mesh.Secret: 1, mesh.ConfigMap: 1, mesh.Telemetry: 0} {
		if got := len(snapshot.Objects(kind)); got != want {
			t.Errorf("%d %s, want %d", got, kind.Resource, want)
		}
	}
	if gw := snapshot.Gateways()[0]; gw.APIVersion != "networking.istio.io/v1beta1" || len(gw.Spec.GetServers()) != 2 {
		t.Errorf("gateway: %s %v", gw.APIVersion, gw.Spec)
	}
	want := []string{"Gateway", "Namespace", "Pod", "Secret", "Service", "Telemetry"}
	if diff := gocmp.Diff(want, kindNames(live.Read)); diff != "" || len(live.Skipped) > 0 {
		t.Errorf("skipped %v, read (-want +got):\n%s", live.Skipped, diff)
	}
	for _, asked := range s.asked {
		if strings.HasSuffix(asked, "/secrets") {
			t.Errorf("secrets are listed: %s", asked)
		}
	}
}

// Only networks that name clusters make the remote secrets matter, and then
// their names, not what gives access to the clusters.
func TestReadOfRemoteSecretsKeepsTheNames(t *testing.T) {
	t.Parallel()
	config := item("istio-system", "istio")
	config["data"] = map[string]any{"meshNetworks": "networks: {south: {endpoints: [{fromRegistry: south}]}}"}
	remote := item("istio-system", "istio-remote-secret-south")
	remote["metadata"].(map[string]any)["labels"] = map[string]any{"istio/multiCluster": "true"}
	remote["data"] = map[string]any{"south": "a3ViZWNvbmZpZw=="}
	s := &listServer{objects: map[string][]map[string]any{
		"/api/v1/namespaces":                         {item("", "istio-system")},
		"/api/v1/namespaces/istio-system/configmaps": {config},
		"/api/v1/namespaces/istio-system/secrets":    {remote},
	}}
	live, err := s.client(t).Read(context.Background(), ReadOptions{Kinds: []mesh.Kind{mesh.Secret}, IstioNamespace: "istio-system"})
	if err != nil {
		t.Fatal(err)
	}
	secret := mesh.New(live.Objects, mesh.Options{Read: live.Read}).Secret("istio-system", "istio-remote-secret-south")
	if secret == nil {
		t.Fatal("the remote secret is not there")
	}
	value, there := secret.Spec.Data["south"]
	if !there || len(value) > 0 {
		t.Errorf("the cluster's name is there: %v; its value: %q", there, value)
	}
}

func TestReadSkipsWhatIsForbidden(t *testing.T) {
	t.Parallel()
	s := &listServer{
		objects: map[string][]map[string]any{"/api/v1/namespaces/shop/services": {item("shop", "a")}},
		forbidden: []string{
			"/api/v1/namespaces", "/api/v1/services", "/api/v1/pods", "/api/v1/namespaces/shop/pods", "/api/v1/namespaces/istio-system/configmaps",
			"/apis/networking.istio.io/v1beta1/gateways", "/apis/networking.istio.io/v1beta1/namespaces/shop/gateways",
		},
	}
	live, err := s.client(t).Read(context.Background(), ReadOptions{
		Kinds: []mesh.Kind{mesh.Service, mesh.Pod, mesh.Gateway}, Namespaces: []string{"shop"}, IstioNamespace: "istio-system",
	})
	if err != nil {
		t.Fatal(err)
	}
	skipped := []string{}
	for _, skip := range live.Skipped {
		skipped = append(skipped, skip.Kind.Kind+": "+skip.Reason)
	}
	want := []string{"ConfigMap: forbidden: no configmaps for you", "Gateway: forbidden: no gateways for you", "Namespace: forbidden: no namespaces for you", "Pod: forbidden: no pods for you"}
	if diff := gocmp.Diff(want, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"shop"}, live.ReadIn[mesh.Service]); diff != "" || len(live.Objects) != 1 {
		t.Errorf("%d objects, services read in (-want +got):\n%s", len(live.Objects), diff)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := &listServer{objects: map[string][]map[string]any{}, silent: []string{"/api/v1/services"}}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := s.client(t).Read(ctx, ReadOptions{Kinds: []mesh.Kind{mesh.Service}, IstioNamespace: "istio-system"})
	if err == nil || hint.ClassOf(err) != hint.Unanswerable || time.Since(begin) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(begin), err)
	}
}
