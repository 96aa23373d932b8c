package bed

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

func (r *runtime) istiod() program {
	return program{name: "istiod", start: r.startIstiod, match: func(p *corev1.Pod) bool { return p.Labels["app"] == "istiod" }}
}

// startIstiod runs pilot-discovery with the pod's own environment and arguments. Its mesh and injection settings come from
// the cluster's ConfigMaps: it falls back to these because the files of the pod's volumes are not there.
func (r *runtime) startIstiod(ctx context.Context, pod *corev1.Pod, run *podRun) error {
	p, err := run.takePorts(5)
	if err != nil {
		return err
	}
	http, grpc, secure, webhooks, monitoring := p[0], p[1], p[2], p[3], p[4]
	c := &pod.Spec.Containers[0]
	if named := container(pod, "discovery"); named != nil {
		c = named
	}
	args := append(istiodArgs(c.Args), "--kubeconfig="+r.bed.Kubeconfig(), "--httpAddr="+loopback(http), "--grpcAddr="+loopback(grpc),
		"--secureGRPCAddr="+loopback(secure), "--httpsAddr="+loopback(webhooks), "--monitoringAddr="+loopback(monitoring),
		"--ctrlz_port=0", "--shutdownDuration=1s")
	sp := spec{name: "istiod-" + pod.Name, path: r.bed.programs.istiod, args: args, logTo: r.bed.logs(), dir: run.dir(), env: r.istiodEnv(pod, c)}
	ready := httpOK("http://" + loopback(http) + "/ready")
	if err := run.keep(ctx, sp, ready); err != nil {
		return err
	}
	for port, local := range map[int32]int{8080: http, 15010: grpc, 15012: secure, 15017: webhooks, 15014: monitoring} {
		run.expose(port, toLoopback(local))
	}
	r.bed.notePorts(sp.name, p...)
	return nil
}

// istiodArgs keeps of the container's arguments what is not about addresses.
func istiodArgs(args []string) []string {
	out := []string{"discovery"}
	for _, a := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(a, "-"), "=")
		switch name {
		case "discovery", "monitoringAddr", "httpAddr", "grpcAddr", "secureGRPCAddr", "httpsAddr", "kubeconfig", "ctrlz_port":
		default:
			out = append(out, a)
		}
	}
	return out
}

func (r *runtime) istiodEnv(pod *corev1.Pod, c *corev1.Container) []string {
	env := map[string]string{"REVISION": "default", "CLUSTER_ID": "Kubernetes", "JWT_POLICY": "third-party-jwt"}
	for k, v := range podEnv(pod, c) {
		env[k] = v
	}
	delete(env, "KUBECONFIG") // names a file of the pod
	for k, v := range map[string]string{"POD_NAME": pod.Name, "POD_NAMESPACE": pod.Namespace, "PILOT_MAX_REQUESTS_PER_SECOND": "10000"} {
		env[k] = v
	}
	if env["ENABLE_DEBUG_ENDPOINT_AUTH"] == "" {
		env["ENABLE_DEBUG_ENDPOINT_AUTH"] = "false" // callers on loopback have no identity
	}
	for k, v := range r.bed.opts.IstiodEnv {
		env[k] = v
	}
	var out []string
	for k, v := range env {
		out = append(out, k+"="+v)
	}
	sort.Strings(out)
	return out
}

// istiods returns the runs of the istiods that are alive.
func (r *runtime) istiods() []*podRun {
	var out []*podRun
	for _, run := range r.all() {
		run.mu.Lock()
		if run.program == "istiod" && run.ports[15010] != nil && !run.dead {
			out = append(out, run)
		}
		run.mu.Unlock()
	}
	return out
}

func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
