package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/test/bed"
)

// ztunnels is what ambient mode leaves in a cluster, as far as ztunnel-config
// looks: the DaemonSet, and a workload's pods, one of them captured.
const ztunnels = `
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ztunnel, namespace: istio-system}
spec:
  selector: {matchLabels: {app: ztunnel}}
  template:
    metadata: {labels: {app: ztunnel}}
    spec: {tolerations: [{operator: Exists}], containers: [{name: ztunnel, image: registry.local/ztunnel:1}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {ambient.istio.io/redirection: enabled}}
    spec: {containers: [{name: web, image: registry.local/web:1}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: outside, namespace: shop}
spec:
  selector: {matchLabels: {app: outside}}
  template:
    metadata: {labels: {app: outside}}
    spec: {containers: [{name: web, image: registry.local/web:1}]}
`

// ztunnelAdmin answers as a ztunnel's admin port does; there is no ztunnel on
// this machine.
type ztunnelAdmin struct {
	mu     sync.Mutex
	dump   string
	level  string // of all without one of their own
	scopes string
}

func (z *ztunnelAdmin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	z.mu.Lock()
	defer z.mu.Unlock()
	switch {
	case r.URL.Path == "/config_dump":
		_, _ = fmt.Fprint(w, z.dump)
	case r.URL.Path != "/logging":
		http.NotFound(w, r)
	case r.Method != http.MethodPost:
		http.Error(w, "Invalid HTTP method", http.StatusMethodNotAllowed)
	default:
		if r.URL.Query().Has("reset") {
			z.level, z.scopes = "info", ""
		}
		for part := range strings.SplitSeq(r.URL.Query().Get("level"), ",") {
			switch {
			case strings.Contains(part, "="):
				z.scopes += part + ","
			case part != "":
				z.level = part
			}
		}
		_, _ = fmt.Fprintf(w, "current log level is %s%s\n", z.scopes, z.level)
	}
}

// TestZtunnelConfig finds ztunnels as people name them, through the API server.
func TestZtunnelConfig(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{NoEnvoy: true})
	j := &job{meshctl: m, bed: b}
	r := j.want(t, 2, "ztunnel-config", "workload")
	contains(t, "stderr", r.stderr, `there is no ztunnel in namespace "istio-system"`, "hint: ambient mode")
	applyText(t, b.REST(), ztunnels)
	j.ready(t, "shop", "web")
	j.ready(t, "shop", "outside")
	j.eventually(t, 2, "zc", "connections") // there are several ztunnels by now
	web, outside := j.onePod(t, "app=web"), j.onePod(t, "app=outside")
	pods := j.ztunnelPods(t, web)
	node := func(p *unstructured.Unstructured) string {
		name, _, _ := unstructured.NestedString(p.Object, "spec", "nodeName")
		return name
	}

	// Any ztunnel knows all workloads; connections are those of one node.
	contains(t, "workloads", j.want(t, 0, "zc", "workload").stdout, "NAMESPACE  POD NAME", web.GetName(), "elsewhere")
	r = j.want(t, 2, "zc", "connections")
	contains(t, "stderr", r.stderr, fmt.Sprintf("this differs from node to node, and there are %d ztunnels", len(pods)), "--node", node(web))
	contains(t, "connections of the node", j.want(t, 0, "zc", "connections", "--node", node(web)).stdout, web.GetName()+".shop", "Inbound", "elsewhere.shop:4444")
	r = j.want(t, 2, "zc", "connections", "--node", node(web)+"x")
	contains(t, "stderr", r.stderr, "there is no ztunnel on node", "did you mean")

	// Of a pod its node's ztunnel is asked, and only what concerns it is shown.
	for _, arg := range []string{"deploy/web.shop", web.GetName() + ".shop"} {
		r = j.want(t, 0, "zc", "workload", arg)
		if !strings.Contains(r.stdout, web.GetName()) || strings.Contains(r.stdout, "elsewhere") || r.stderr != "" {
			t.Errorf("workload %s:\n%s%s", arg, r.stdout, r.stderr)
		}
	}
	contains(t, "stderr", j.want(t, 0, "zc", "all", outside.GetName(), "-n", "shop").stderr, "is not in ambient mode")
	var all struct {
		Kind, Ztunnel string
		Workloads     []struct{ Name string }
	}
	decode(t, j.want(t, 0, "zc", "all", pods[0].GetName(), "-o", "json"), &all) // ztunnels need no namespace
	if all.Kind != "ZtunnelConfig" || all.Ztunnel != pods[0].GetName()+".istio-system" || len(all.Workloads) != 2 {
		t.Errorf("document: %+v", all)
	}

	// Log levels of all at once; one that is gone hides no other.
	r = j.want(t, 0, "zc", "log", "--level", "access:debug,warning")
	if strings.Count(r.stdout, "info  debug") != len(pods) || strings.Count(r.stdout, "info  warn") != len(pods) {
		t.Errorf("levels:\n%s", r.stdout)
	}
	contains(t, "reset", j.want(t, 0, "zc", "log", "ds/ztunnel.istio-system", "-r").stdout, "debug  info", "warn   info")
	z := &ztunnelAdmin{level: "info"}
	if err := b.StandIn(t.Context(), "istio-system", pods[0].GetName(), 15000, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) })); err != nil {
		t.Fatal(err)
	}
	r = j.want(t, 2, "zc", "log")
	contains(t, "stderr", r.stderr, "warning: ztunnel "+pods[0].GetName(), "418")
	contains(t, "the others", r.stdout, pods[1].GetName(), z.level)
}

// onePod is the pod with the labels, in namespace shop.
func (j *job) onePod(t *testing.T, labels string) *unstructured.Unstructured {
	t.Helper()
	list, err := j.resource(t, "v1", "pods", "shop").List(t.Context(), metav1.ListOptions{LabelSelector: labels})
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("pods with %s: %v", labels, err)
	}
	return &list.Items[0]
}

// ztunnelPods are the pods of the DaemonSet, each with an admin port that
// knows of web and, if it is on its node, of a connection to it.
func (j *job) ztunnelPods(t *testing.T, web *unstructured.Unstructured) []unstructured.Unstructured {
	t.Helper()
	list, err := j.resource(t, "v1", "pods", "istio-system").List(t.Context(), metav1.ListOptions{LabelSelector: "app=ztunnel"})
	if err != nil {
		t.Fatal(err)
	}
	template, err := os.ReadFile(filepath.Join("testdata", "ztunnel.json"))
	if err != nil {
		t.Fatal(err)
	}
	address, _, _ := unstructured.NestedString(web.Object, "status", "podIP")
	dump := strings.NewReplacer("WEB-POD", web.GetName(), "WEB-ADDRESS", address).Replace(string(template))
	for _, p := range list.Items {
		if err := j.bed.StandIn(t.Context(), "istio-system", p.GetName(), 15000, &ztunnelAdmin{dump: dump, level: "info"}); err != nil {
			t.Fatal(err)
		}
	}
	return list.Items
}
