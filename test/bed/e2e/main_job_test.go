package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/test/bed"
)

const catalogFQDN = "catalog.shop.svc.cluster.local"

// TestMainJob is the README's tour, in order, on one bed: install, a shop with
// a canary, every command, a broken route, uninstall.
func TestMainJob(t *testing.T) {
	t.Parallel()
	b, err := bed.Start(t.Context(), bed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	m := meshctl{binary: build(t), kubeconfig: b.Kubeconfig(), home: t.TempDir()}
	j := &job{meshctl: m, bed: b}
	steps := []struct {
		name string
		run  func(t *testing.T)
	}{
		{"before anything is installed", j.empty},
		{"install", j.install},
		{"install again writes nothing", j.installAgain},
		{"shop", j.shop},
		{"proxy-status", j.proxyStatus},
		{"proxy-config", j.proxyConfig},
		{"version", j.version},
		{"analyze", j.analyze},
		{"access", j.access},
		{"dashboards", j.dashboards},
		{"a dead istiod", j.deadIstiod},
		{"uninstall", j.uninstall},
	}
	for _, s := range steps {
		if !t.Run(s.name, s.run) {
			return // the steps build on each other
		}
	}
}

type job struct {
	meshctl
	bed *bed.Bed
}

func (j *job) empty(t *testing.T) {
	r := j.want(t, 2, "proxy-status")
	if r.stdout != "" {
		t.Errorf("stdout:\n%s", r.stdout)
	}
	contains(t, "stderr", r.stderr, `error: there is no istiod in namespace "istio-system"`, "hint: install Istio with `meshctl install`")
	j.want(t, 0, "analyze", "-A") // an empty cluster has no Istio kinds; that is no error
	r = j.want(t, 0, "uninstall", "--purge", "-y")
	contains(t, "stdout", r.stdout, "nothing to uninstall")
}

func (j *job) install(t *testing.T) {
	r := j.want(t, 2, "install", "--profile", "demo")
	contains(t, "stderr", r.stderr, "no terminal to ask on", "-y")
	r = j.want(t, 0, "install", "--profile", "demo", "-y")
	for _, component := range []string{"base", "istiod", "istio-ingressgateway", "istio-egressgateway", "prometheus", "grafana", "jaeger", "kiali"} {
		if !regexp.MustCompile(`(?m)^` + component + ` .* Ready$`).MatchString(r.stdout) {
			t.Errorf("component %s is not reported ready:\n%s", component, r.stdout)
		}
	}
	for _, name := range []string{"istiod", "istio-ingressgateway", "istio-egressgateway", "kiali"} {
		d := j.get(t, "apps/v1", "deployments", "istio-system", name)
		if n, _, _ := unstructured.NestedInt64(d.Object, "status", "readyReplicas"); n < 1 {
			t.Errorf("Deployment %s has %d ready replicas although install ended", name, n)
		}
	}
}

func (j *job) installAgain(t *testing.T) {
	before := versions(t, j.bed.REST())
	var report struct {
		Kind       string
		Components []struct{ Created, Changed int }
	}
	decode(t, j.want(t, 0, "install", "--set", "profile=demo", "-y", "-o", "json"), &report)
	if report.Kind != "InstallReport" || len(report.Components) != 8 {
		t.Errorf("report: %+v", report)
	}
	for _, c := range report.Components {
		if c.Created+c.Changed > 0 {
			t.Errorf("the second run wrote: %+v", report)
		}
	}
	for object, version := range versions(t, j.bed.REST()) {
		if before[object] != version {
			t.Errorf("%s: resourceVersion %s became %s", object, before[object], version)
		}
	}
}

func (j *job) shop(t *testing.T) {
	j.apply(t, "shop.yaml")
	for _, name := range []string{"frontend", "catalog-v1", "catalog-v2"} {
		j.ready(t, "shop", name)
	}
	j.apply(t, "mesh.yaml")
	j.guarded(t)
}

// guarded makes sure that istiod refuses what is invalid; its webhook lets
// everything pass until istiod has found itself able to answer.
func (j *job) guarded(t *testing.T) {
	t.Helper()
	services := j.resource(t, "networking.istio.io/v1", "virtualservices", "shop")
	bad := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": map[string]any{"name": "bad"},
		"spec": map[string]any{"hosts": []any{"twice", "twice"}, "http": []any{map[string]any{"route": []any{
			map[string]any{"destination": map[string]any{"host": "catalog"}},
		}}}},
	}}
	deadline := time.Now().Add(time.Minute)
	for {
		_, err := services.Create(t.Context(), bad, metav1.CreateOptions{})
		if err != nil && strings.Contains(err.Error(), "denied the request") {
			return
		}
		if err == nil {
			err = services.Delete(t.Context(), "bad", metav1.DeleteOptions{})
		}
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("istiod does not refuse an invalid VirtualService: %v", err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (j *job) proxyStatus(t *testing.T) {
	j.eventually(t, 0, "proxy-status")
	var status struct {
		InSync  bool
		Proxies []struct {
			Name, Namespace, Istiod string
			Types                   []struct{ Name, State string }
		}
	}
	decode(t, j.eventually(t, 0, "proxy-status", "-n", "shop", "-o", "json"), &status)
	if len(status.Proxies) != 3 || !status.InSync {
		t.Fatalf("want the three proxies of the shop in sync: %+v", status)
	}
	for _, p := range status.Proxies {
		if p.Namespace != "shop" || p.Istiod == "" || len(p.Types) < 4 {
			t.Errorf("proxy %+v", p)
		}
	}

	id, err := j.bed.ConnectProxies(t.Context(), bed.Proxies{Count: 4, NACK: 1, Stale: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := j.eventually(t, 1, "proxy-status", "-n", "bed-proxies", "--stale-after", "0s")
	contains(t, "table", r.stdout, "ERROR", "STALE", "SYNCED", "2 of 4 proxies in step")
	if first := strings.SplitN(r.stdout, "\n", 3)[1]; !strings.Contains(first, "ERROR") {
		t.Errorf("problems do not come first:\n%s", r.stdout)
	}
	if err := j.bed.DisconnectProxies(id); err != nil {
		t.Fatal(err)
	}
}

func (j *job) proxyConfig(t *testing.T) {
	of := func(sub string, more ...string) string {
		t.Helper()
		return j.want(t, 0, append([]string{"proxy-config", sub, "deploy/frontend", "-n", "shop"}, more...)...).stdout
	}
	contains(t, "completion of pods", j.want(t, 0, "__complete", "proxy-config", "cluster", "-n", "shop", "").stdout, "frontend-", "catalog-v1-", "deploy/")
	contains(t, "completion of deployments", j.want(t, 0, "__complete", "proxy-config", "cluster", "-n", "shop", "deploy/").stdout, "deploy/frontend")
	contains(t, "completion of namespaces", j.want(t, 0, "__complete", "analyze", "-n", "").stdout, "istio-system", "shop")
	contains(t, "clusters", of("cluster", "--fqdn", catalogFQDN), "catalog.shop", " v1 ", " v2 ", "EDS")
	contains(t, "listeners", of("listener"), "15001", "15006", "PassthroughCluster")
	contains(t, "routes", of("route", "--name", "80"), catalogFQDN, "catalog.shop")
	contains(t, "endpoints", of("endpoint", "--cluster", "outbound|80|v2|"+catalogFQDN), "HEALTHY", ":8080")
	contains(t, "secrets", of("secret"), "ROOTCA", "default", "ACTIVE")
	contains(t, "bootstrap", of("bootstrap"), "1.31.1")
	contains(t, "routes as json", of("route", "--name", "80", "-o", "json"), `"weight": 90`, `"weight": 10`)
	if strings.Contains(of("secret", "-o", "json"), "PRIVATE KEY") {
		t.Error("a private key is printed")
	}

	// All at once, and several proxies: one table with a column PROXY; a pod without a proxy does not hide them.
	contains(t, "all", of("all", "--with-headers"), "------ CLUSTER INFO ------", "cluster/outbound|80||"+catalogFQDN, "listener/virtualInbound", "endpoint/")
	contains(t, "eds", of("eds", "--cluster", "outbound|80|v2|"+catalogFQDN), ":8080", "HEALTHY")
	contains(t, "ecds", of("ecds"), "No extension configs found.")
	r := j.want(t, 0, "proxy-config", "secret", "svc/catalog", "--all-pods", "-n", "shop")
	contains(t, "secrets of several", r.stdout, "PROXY", "catalog-v1-", "catalog-v2-")
	r = j.want(t, 2, "proxy-config", "cluster", "deploy/frontend.shop", "deploy/istiod.istio-system", "-o", "json")
	contains(t, "several as json", r.stdout, `"kind": "ProxyClustersList"`, `"proxy": "frontend-`)
	contains(t, "stderr", r.stderr, "istiod-", "is left out: ", "has no proxy")
	contains(t, "by label", j.want(t, 0, "proxy-config", "bootstrap", "-l", "app=catalog", "-n", "shop").stdout, "catalog-v2-", "1.31.1")

	// The same from a file, without a cluster.
	dump := filepath.Join(t.TempDir(), "dump.json")
	if err := os.WriteFile(dump, []byte(of("bootstrap", "-o", "json")), 0o600); err != nil {
		t.Fatal(err)
	}
	r = j.want(t, 2, "proxy-config", "cluster", "-f", "main_job_test.go")
	contains(t, "stderr", r.stderr, "is not an Envoy config dump")
	r = j.want(t, 2, "proxy-config", "cluster", "nosuchpod", "-n", "shop")
	contains(t, "stderr", r.stderr, `there is no pod "nosuchpod" in namespace "shop"`, "hint: ")
}

func (j *job) version(t *testing.T) {
	r := j.want(t, 0, "version")
	contains(t, "versions", r.stdout, "control plane", "1.31.1 (5 proxies)")
}

func (j *job) analyze(t *testing.T) {
	r := j.want(t, 0, "analyze", "-A")
	contains(t, "stderr", r.stderr, "no findings")
	j.apply(t, "broken.yaml")
	r = j.eventually(t, 1, "analyze", "-n", "shop")
	contains(t, "findings", r.stdout, "IST0101", `subset "v3"`, `"catalogue"`)
	var report struct {
		Findings []struct{ Code, Severity string }
	}
	decode(t, j.want(t, 1, "analyze", "-A", "-o", "json"), &report)
	count := map[string]int{}
	for _, f := range report.Findings {
		count[f.Severity+" "+f.Code]++
	}
	// What the broken route no longer uses is a remark beside the two errors.
	want := map[string]int{"error IST0101": 2, "info MSH0901": 1}
	if !maps.Equal(count, want) {
		t.Errorf("findings %v, want %v", count, want)
	}
	j.apply(t, "mesh.yaml")
	j.eventually(t, 0, "analyze", "-n", "shop")
}

func (j *job) access(t *testing.T) {
	for _, args := range [][]string{
		{"analyze", "-A", "--as", "nobody"},
		{"proxy-status", "--as", "nobody"},
		{"install", "--profile", "demo", "-y", "--as", "nobody"},
	} {
		r := j.want(t, 2, args...)
		contains(t, strings.Join(args, " "), r.stderr, "forbidden")
	}
	lost := j.meshctl
	lost.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	unreachable := string(must(os.ReadFile(j.kubeconfig)))
	unreachable = regexp.MustCompile(`https://127\.0\.0\.1:\d+`).ReplaceAllString(unreachable, "https://127.0.0.1:1")
	if err := os.WriteFile(lost.kubeconfig, []byte(unreachable), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"analyze", "-A"}, {"proxy-status"}, {"install", "-y"}, {"dashboard", "kiali"}, {"uninstall", "--purge", "-y"}} {
		r := lost.want(t, 2, args...)
		contains(t, strings.Join(args, " "), r.stderr, "cannot reach the API server", "hint: ")
		if r.stdout != "" {
			t.Errorf("%v: stdout:\n%s", args, r.stdout)
		}
	}
}

func (j *job) dashboards(t *testing.T) {
	for _, name := range []string{"kiali", "grafana", "jaeger", "prometheus"} {
		t.Run(name, func(t *testing.T) { j.dashboard(t, name) })
	}
	r := j.want(t, 2, "dashboard", "zipkin", "--browser=false")
	contains(t, "stderr", r.stderr, "there is no zipkin", "addons.zipkin.enabled=true")
}

// dashboard opens one, gets its page and ends it with an interrupt.
func (j *job) dashboard(t *testing.T, name string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, j.binary, "dashboard", name, "--browser=false", "--port", "0")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+j.kubeconfig, "HOME="+j.home)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout := must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var url string
	if _, err := fmt.Fscanln(stdout, &url); err != nil {
		t.Fatalf("no URL: %v\n%s", err, &stderr)
	}
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	page := must(io.ReadAll(resp.Body))
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || len(page) == 0 {
		t.Errorf("%s answers %s with %d bytes", url, resp.Status, len(page))
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v\n%s", err, &stderr)
	}
}

func (j *job) deadIstiod(t *testing.T) {
	if err := j.bed.Break(t.Context(), bed.IstiodDead); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	r := j.want(t, 2, "proxy-status", "--timeout", "5s")
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("a dead istiod took %s", took)
	}
	contains(t, "stderr", r.stderr, "istiod-", "hint: ")
	if err := j.bed.Mend(t.Context(), bed.IstiodDead); err != nil {
		t.Fatal(err)
	}
}

func (j *job) uninstall(t *testing.T) {
	r := j.want(t, 2, "uninstall", "--purge")
	contains(t, "stderr", r.stderr, "no terminal to ask on")
	j.want(t, 0, "uninstall", "--purge", "-y")
	for _, k := range []struct{ apiVersion, resource, namespace string }{
		{"apps/v1", "deployments", "istio-system"}, {"v1", "services", "istio-system"},
		{"admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", ""},
		{"apiextensions.k8s.io/v1", "customresourcedefinitions", ""},
	} {
		list, err := j.resource(t, k.apiVersion, k.resource, k.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "operator.istio.io/component"})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			t.Errorf("left behind: %s %s", o.GetKind(), o.GetName())
		}
	}
	r = j.want(t, 0, "uninstall", "--purge", "-y")
	contains(t, "stdout", r.stdout, "nothing to uninstall")
}
