package kube

import (
	"cmp"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
)

// ScrapeTarget is the port and path where a pod tells Prometheus of itself, by
// its prometheus.io annotations.
func ScrapeTarget(p *corev1.Pod) (port int, path string, err error) {
	text := p.Annotations["prometheus.io/port"]
	port, err = strconv.Atoi(text)
	if err != nil || port <= 0 || port > 65535 {
		return 0, "", hint.Unanswerablef("istiod sets it where metrics are merged; `kubectl get pod -n "+p.Namespace+" "+p.Name+" -o yaml` shows what is there",
			"pod %s.%s does not say where its metrics are: its annotation prometheus.io/port is %q", p.Name, p.Namespace, text)
	}
	return port, cmp.Or(p.Annotations["prometheus.io/path"], "/metrics"), nil
}
