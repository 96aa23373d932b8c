package bed

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAddons(t *testing.T) {
	for _, c := range []struct {
		name, port, path, want string
		labels                 map[string]string
	}{
		{"prometheus", "9090", "/api/v1/status/buildinfo", `"status":"success"`, map[string]string{nameLabel: "prometheus"}},
		{"jaeger", "16686", "/api/services", `"data"`, map[string]string{"app": "jaeger"}},
		{"kiali", "20001", "/kiali/console", "not Kiali", map[string]string{"app": "kiali"}},
		{"grafana", "3000", "/api/health", `"database"`, map[string]string{nameLabel: "grafana"}},
		{"zipkin", "9411", "/health", "UP", map[string]string{"app": "zipkin"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := testContext(t)
			pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: c.name, Labels: c.labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: c.name, Image: c.name + ":1"}}}}
			if err := addPod(ctx, shared, "addons", pod); err != nil {
				t.Fatal(err)
			}
			body, err := fromPod(ctx, shared, "addons", c.name, c.port, c.path)
			if err != nil || !strings.Contains(string(body), c.want) {
				t.Errorf("%s answered %q, %v", c.path, body, err)
			}
		})
	}
}
