package bed

import (
	"context"
	"fmt"
	"html"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const nameLabel = "app.kubernetes.io/name"

// addonOf says which add-on a pod is, by the labels Istio's own samples and most charts give it.
func addonOf(p *corev1.Pod) string {
	for _, v := range []string{p.Labels[nameLabel], p.Labels["app"]} {
		switch v {
		case "prometheus", "jaeger", "kiali", "grafana", "zipkin":
			return v
		}
	}
	return ""
}

// heldBack is a jq test for the pods that have a program: these wait for it before they are Ready.
func heldBack(o Options) string {
	expr := `(.metadata.labels // {}) as $l | ($l.app == "istiod"` +
		` or ([$l.app, $l["app.kubernetes.io/name"]] | any(. == ("prometheus", "jaeger", "kiali", "grafana", "zipkin")))`
	if !o.NoEnvoy {
		expr += ` or ([.spec.containers[].name, (.spec.initContainers // [])[].name] | any(. == "istio-proxy"))`
	}
	return expr + ")"
}

func (r *runtime) addons() []program {
	of := func(name string) func(*corev1.Pod) bool {
		return func(p *corev1.Pod) bool { return addonOf(p) == name }
	}
	return []program{
		{name: "prometheus", match: of("prometheus"), start: r.startPrometheus},
		{name: "jaeger", match: of("jaeger"), start: r.startJaeger},
		{name: "kiali", match: of("kiali"), start: r.standIn("Kiali", 20001, "/kiali/healthz", `{"status":"ok"}`)},
		{name: "grafana", match: of("grafana"), start: r.standIn("Grafana", 3000, "/api/health", `{"database":"ok"}`)},
		{name: "zipkin", match: of("zipkin"), start: r.standIn("Zipkin", 9411, "/health", `{"status":"UP"}`)},
	}
}

const plainPrometheus = "global: {scrape_interval: 15s}\nscrape_configs: []\n"

// startPrometheus takes prometheus.yml from the pod's ConfigMap; files it refers to are not there, so a configuration that
// Prometheus refuses is replaced by one that scrapes nothing.
func (r *runtime) startPrometheus(ctx context.Context, pod *corev1.Pod, run *podRun) error {
	p, err := run.takePorts(1)
	if err != nil {
		return err
	}
	config := filepath.Join(run.dir(), "prometheus.yml")
	if err := writeFile(config, r.prometheusConfig(ctx, pod)); err != nil {
		return err
	}
	path, args := withPages(r.bed.programs.prometheus, []string{
		"--config.file=" + config, "--storage.tsdb.path=" + filepath.Join(run.dir(), "data"), "--web.listen-address=" + loopback(p[0]),
	})
	sp := spec{name: pod.Namespace + "-" + pod.Name, path: path, logTo: r.bed.logs(), dir: run.dir(), args: args}
	if err := run.keep(ctx, sp, httpOK("http://"+loopback(p[0])+"/-/ready")); err != nil {
		return err
	}
	r.bed.notePorts(sp.name, p...)
	run.expose(9090, toLoopback(p[0]))
	return nil
}

// withPages is the command that runs Prometheus with its pages. Debian's looks for them in /usr/share; one that is only
// unpacked gets a mount namespace of its own in which they are there.
func withPages(program string, args []string) (string, []string) {
	share := filepath.Join(filepath.Dir(program), "..", "share")
	if _, err := os.Stat(filepath.Join(share, "prometheus", "web")); err != nil || filepath.Clean(share) == "/usr/share" {
		return program, args
	}
	unshare := []string{"--mount"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	unshare = append(unshare, "sh", "-c", `mount --bind "$0" /usr/share && exec "$@"`, share, program)
	return "/usr/bin/unshare", append(unshare, args...)
}

// prometheusConfig keeps the pod's configuration but for discovery, which needs a pod's own network and account.
func (r *runtime) prometheusConfig(ctx context.Context, pod *corev1.Pod) string {
	for _, v := range pod.Spec.Volumes {
		if v.ConfigMap == nil {
			continue
		}
		cm, err := r.bed.client.CoreV1().ConfigMaps(pod.Namespace).Get(ctx, v.ConfigMap.Name, metav1.GetOptions{})
		if err == nil && cm.Data["prometheus.yml"] != "" && !strings.Contains(cm.Data["prometheus.yml"], "kubernetes_sd_configs") {
			return cm.Data["prometheus.yml"]
		}
	}
	return plainPrometheus
}

// startJaeger runs the real Jaeger where `bed build jaeger` has made one, and a stand-in elsewhere.
func (r *runtime) startJaeger(ctx context.Context, pod *corev1.Pod, run *podRun) error {
	if _, err := os.Stat(r.bed.programs.jaeger); err != nil {
		return r.standIn("Jaeger", 16686, "/api/services", `{"data":[],"total":0,"errors":null}`)(ctx, pod, run)
	}
	// query http and grpc, otlp grpc and http, zipkin, collector http and grpc, admin
	p, err := run.takePorts(8)
	if err != nil {
		return err
	}
	flags := []string{"query.http-server", "query.grpc-server", "collector.otlp.grpc", "collector.otlp.http", "collector.zipkin",
		"collector.http-server", "collector.grpc-server", "admin.http"}
	args := []string{"--collector.otlp.enabled=true"}
	for i, f := range flags {
		args = append(args, fmt.Sprintf("--%s.host-port=%s", f, loopback(p[i])))
	}
	env := []string{"SPAN_STORAGE_TYPE=memory", "JAEGER_DISABLED=true"}
	for _, c := range pod.Spec.Containers {
		for k, v := range podEnv(pod, &c) {
			if k == "QUERY_BASE_PATH" {
				env = append(env, k+"="+v)
			}
		}
	}
	sp := spec{name: pod.Namespace + "-" + pod.Name, path: r.bed.programs.jaeger, args: args, env: env, logTo: r.bed.logs(), dir: run.dir()}
	if err := run.keep(ctx, sp, httpOK("http://"+loopback(p[7])+"/")); err != nil {
		return err
	}
	r.bed.notePorts(sp.name, p...)
	for port, local := range map[int32]int{16686: p[0], 16685: p[1], 4317: p[2], 4318: p[3], 9411: p[4], 14268: p[5], 14250: p[6], 14269: p[7]} {
		run.expose(port, toLoopback(local))
	}
	return nil
}

// standIn serves a page and a health answer where a program cannot be had. The page says so.
func (r *runtime) standIn(product string, port int32, healthPath, health string) func(context.Context, *corev1.Pod, *podRun) error {
	return func(ctx context.Context, _ *corev1.Pod, run *podRun) error {
		l, err := net.Listen("unix", r.bed.socket(string(run.uid)))
		if err != nil {
			return err
		}
		mux := http.NewServeMux()
		mux.HandleFunc(healthPath, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintln(w, health)
		})
		mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprintf(w, "<!doctype html><title>%[1]s (stand-in)</title><h1>This is not %[1]s</h1>\n"+
				"<p>The meshctl test bed does not run %[1]s here. This stand-in answers in its place, so that the way here can be tried.</p>\n"+
				"<p>You asked pod %[2]s for <code>%[3]s</code>.</p>\n", product, run.key, html.EscapeString(req.URL.String()))
		})
		serve(ctx, l, mux)
		run.expose(port, toSocket(r.bed.socket(string(run.uid))))
		return nil
	}
}
