package kube

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestScrapeTarget(t *testing.T) {
	t.Parallel()
	pod := func(port, path string) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", Annotations: map[string]string{}}}
		if port != "" {
			p.Annotations["prometheus.io/port"] = port
		}
		if path != "" {
			p.Annotations["prometheus.io/path"] = path
		}
		return p
	}
	if port, path, err := ScrapeTarget(pod("15020", "/stats/prometheus")); port != 15020 || path != "/stats/prometheus" || err != nil {
		t.Errorf("%d %s, %v", port, path, err)
	}
	if _, path, err := ScrapeTarget(pod("8080", "")); path != "/metrics" || err != nil {
		t.Errorf("%s, %v", path, err)
	}
	for _, port := range []string{"", "x", "0", "70000"} {
		if _, _, err := ScrapeTarget(pod(port, "/x")); err == nil {
			t.Errorf("port %q is taken", port)
		}
	}
}
