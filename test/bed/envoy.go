package bed

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// unfilteredAnnotation on a pod makes its Envoy take istiod's configuration as it is. Upstream Envoy lacks Istio's own
// filters, so it rejects that: a real NACK. All other Envoys get it without those filters.
const unfilteredAnnotation = "bed.meshctl.io/unfiltered"

const proxyContainer, istioVersion = "istio-proxy", "1.31.1"

func (r *runtime) envoy() program {
	return program{name: "envoy", start: r.startEnvoy, match: func(p *corev1.Pod) bool { return container(p, proxyContainer) != nil }}
}

// startEnvoy runs the pod's Envoy in a network namespace of its own, so that every one can listen on 0.0.0.0:15001. All its
// ways out are Unix sockets: its configuration and certificates come from this process, its admin page goes to it.
func (r *runtime) startEnvoy(ctx context.Context, pod *corev1.Pod, run *podRun) error {
	if !r.takeEnvoy(run) {
		run.simulate()
		return nil
	}
	dir := r.bed.socket(string(run.uid)[:8])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	run.onEnd(func() { _ = os.RemoveAll(dir) })
	proxy := describeProxy(pod)
	if err := r.serveXDS(run, proxy, dir); err != nil {
		return err
	}
	admin := filepath.Join(dir, "admin")
	bootstrap, err := json.MarshalIndent(proxy.bootstrap(dir, admin), "", "  ")
	if err != nil {
		return err
	}
	config := filepath.Join(run.dir(), "envoy.json")
	if err := writeFile(config, string(bootstrap)); err != nil {
		return err
	}
	sp := spec{name: "envoy-" + pod.Namespace + "-" + pod.Name, path: r.bed.programs.envoy, netns: true, logTo: r.bed.logs(), dir: run.dir(),
		args: []string{"--config-path", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning",
			"--component-log-level", "misc:error", // else a line for every deprecated field istiod still sets
			"--file-flush-interval-msec", "200", "--service-cluster", proxy.app + "." + pod.Namespace, "--service-node", proxy.nodeID()}}
	if sp, err = r.throughNetwork(ctx, run, sp, dir); err != nil {
		return err
	}
	if err := run.keep(ctx, sp, socketOK(admin, "/ready")); err != nil {
		return err
	}
	run.expose(15000, toSocket(admin))
	return r.serveProxyPorts(run, dir, admin)
}

// takeEnvoy counts the Envoys; beyond the limit a proxy stays simulated.
func (r *runtime) takeEnvoy(run *podRun) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, other := range r.runs {
		if other.envoy && other != run {
			n++
		}
	}
	run.envoy = n < r.bed.opts.MaxEnvoys
	return run.envoy
}

func socketClient(path string) *http.Client {
	return &http.Client{Transport: socketTransport(path)}
}

func socketTransport(path string) *http.Transport {
	dial := toSocket(path)
	return &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
}

func socketOK(path, page string) func(context.Context) error {
	client := socketClient(path)
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://bed"+page, nil)
		if err != nil {
			return stopPolling{err}
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", page, resp.Status)
		}
		return nil
	}
}

// serveProxyPorts plays what pilot-agent serves beside Envoy: readiness and the merged metrics.
func (r *runtime) serveProxyPorts(run *podRun, dir, admin string) error {
	path := filepath.Join(dir, "agent")
	_ = os.Remove(path)
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	pages := map[string]string{"/healthz/ready": "/ready", "/stats/prometheus": "/stats/prometheus"}
	serve(run.ctx, l, &httputil.ReverseProxy{Transport: socketTransport(admin), Rewrite: func(p *httputil.ProxyRequest) {
		page := p.In.URL.Path
		if to := pages[page]; to != "" {
			page = to
		}
		p.Out.URL = &url.URL{Scheme: "http", Host: "bed", Path: page}
	}})
	for _, port := range []int32{15020, 15021, 15090} {
		run.expose(port, toSocket(path))
	}
	return nil
}

// proxy is a sidecar or gateway as istiod sees it.
type proxy struct {
	role, ip, name, namespace, account, app string
	discovery                               string // host:port of its istiod
	unfiltered                              bool
	metadata                                map[string]any
}

func (p proxy) nodeID() string {
	return fmt.Sprintf("%s~%s~%s.%s~%s.svc.cluster.local", p.role, p.ip, p.name, p.namespace, p.namespace)
}

// identity is the proxy's own, in its certificate.
func (p proxy) identity() string {
	return fmt.Sprintf("spiffe://cluster.local/ns/%s/sa/%s", p.namespace, p.account)
}

// describeProxy reads from a pod what pilot-agent would tell istiod about it.
func describeProxy(pod *corev1.Pod) proxy {
	c := container(pod, proxyContainer)
	env := podEnv(pod, c)
	p := proxy{role: "sidecar", ip: pod.Status.PodIP, name: pod.Name, namespace: pod.Namespace, account: orDefault(pod.Spec.ServiceAccountName, "default"),
		app: orDefault(pod.Labels["app"], pod.Name), discovery: "istiod.istio-system.svc:15012", unfiltered: pod.Annotations[unfilteredAnnotation] == "true"}
	for _, a := range c.Args {
		if a == "router" || a == "waypoint" {
			p.role = a
		}
	}
	config := map[string]any{}
	if yaml.Unmarshal([]byte(env["PROXY_CONFIG"]), &config) != nil || config == nil {
		config = map[string]any{}
	}
	if d, ok := config["discoveryAddress"].(string); ok {
		p.discovery = d
	} else {
		config["discoveryAddress"] = p.discovery
	}
	p.metadata = map[string]any{"NAME": p.name, "NAMESPACE": p.namespace, "INSTANCE_IPS": p.ip, "SERVICE_ACCOUNT": p.account, "LABELS": pod.Labels,
		"ISTIO_VERSION": versionOf(c.Image), "CLUSTER_ID": "Kubernetes", "MESH_ID": "cluster.local", "INTERCEPTION_MODE": "REDIRECT",
		"NODE_NAME": pod.Spec.NodeName, "PROXY_CONFIG": config}
	for k, v := range env {
		if name, ok := strings.CutPrefix(k, "ISTIO_META_"); ok && v != "" {
			p.metadata[name] = v
		} else if _, ok := strings.CutPrefix(k, "ISTIO_METAJSON_"); ok {
			_ = json.Unmarshal([]byte(v), &p.metadata) // adds its keys
		}
	}
	return p
}

// versionOf takes the version from an image's tag.
func versionOf(image string) string {
	if i := strings.LastIndex(image, ":"); i > strings.LastIndex(image, "/") {
		if tag := strings.Split(image[i+1:], "-")[0]; strings.Count(tag, ".") == 2 {
			return tag
		}
	}
	return istioVersion
}

// bootstrap is Envoy's first configuration: who it is, and where its configuration and certificates come from.
func (p proxy) bootstrap(dir, admin string) map[string]any {
	type m = map[string]any
	grpcCluster := func(name, socket string) m {
		return m{"name": name, "type": "STATIC", "connect_timeout": "1s",
			"typed_extension_protocol_options": m{"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": m{
				"@type":                "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
				"explicit_http_config": m{"http2_protocol_options": m{}}}},
			"load_assignment": m{"cluster_name": name, "endpoints": []m{{"lb_endpoints": []m{{"endpoint": m{"address": m{"pipe": m{"path": filepath.Join(dir, socket)}}}}}}}}}
	}
	ads := m{"api_type": "GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": true,
		"grpc_services": []m{{"envoy_grpc": m{"cluster_name": "xds-grpc"}}}}
	source := m{"ads": m{}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
	return m{
		"node":              m{"id": p.nodeID(), "cluster": p.app + "." + p.namespace, "locality": m{"region": "bed"}, "metadata": p.metadata},
		"admin":             m{"address": m{"pipe": m{"path": admin}}},
		"stats_config":      m{"use_all_default_tags": false},
		"dynamic_resources": m{"ads_config": ads, "lds_config": source, "cds_config": source},
		"static_resources":  m{"clusters": []m{grpcCluster("xds-grpc", "xds"), grpcCluster("sds-grpc", "xds")}},
		"layered_runtime":   m{"layers": []m{{"name": "admin", "admin_layer": m{}}}},
	}
}
