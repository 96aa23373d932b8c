package install

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
)

func TestAddonsAreWhatTheDashboardsLookFor(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		label string
		port  int64
	}{
		"grafana":    {"app.kubernetes.io/name=grafana", 3000},
		"jaeger":     {"app=jaeger", 16686},
		"kiali":      {"app=kiali", 20001},
		"loki":       {"app.kubernetes.io/name=loki", 3100},
		"prometheus": {"app.kubernetes.io/name=prometheus", 9090},
		"zipkin":     {"app=zipkin", 9411},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := LoadAddon(name, "mesh")
			if err != nil {
				t.Fatal(err)
			}
			var pods map[string]any
			for _, obj := range c.Objects {
				if obj.GetLabels()[LabelComponent] != "addons."+name || obj.GetLabels()[LabelManagedBy] != ManagedBy {
					t.Errorf("%s has the labels %v", ident(obj), obj.GetLabels())
				}
				if ns := obj.GetNamespace(); ns != "mesh" && !strings.HasPrefix(obj.GetKind(), "ClusterRole") {
					t.Errorf("%s is in namespace %q", ident(obj), ns)
				}
				if obj.GetKind() == "Deployment" {
					pods = dig(obj.Object, "spec", "template")
				}
			}
			key, value, _ := strings.Cut(want.label, "=")
			if got := dig(pods, "metadata", "labels")[key]; got != value {
				t.Errorf("pods have %s=%v, want %s", key, got, value)
			}
			ports := portsOf(pods)
			if !slices.Contains(ports, any(want.port)) {
				t.Errorf("pods listen on %v, want %d", ports, want.port)
			}
			checkServices(t, c.Objects, pods)
			checkHardened(t, pods)
		})
	}
}

func portsOf(pods map[string]any) []any {
	var ports []any
	for _, container := range dig(pods, "spec")["containers"].([]any) {
		for _, p := range dig(container)["ports"].([]any) {
			ports = append(ports, dig(p)["containerPort"])
		}
	}
	return ports
}

// checkServices sees that services select the pods and name ports that these have.
func checkServices(t *testing.T, objects []*unstructured.Unstructured, pods map[string]any) {
	t.Helper()
	var names []any
	for _, p := range dig(dig(pods, "spec")["containers"].([]any)[0])["ports"].([]any) {
		names = append(names, dig(p)["name"])
	}
	for _, obj := range objects {
		if obj.GetKind() != "Service" {
			continue
		}
		for k, v := range dig(obj.Object, "spec", "selector") {
			if dig(pods, "metadata", "labels")[k] != v {
				t.Errorf("%s selects %s=%v, which the pods have not", ident(obj), k, v)
			}
		}
		for _, p := range dig(obj.Object, "spec")["ports"].([]any) {
			if !slices.Contains(names, dig(p)["targetPort"]) {
				t.Errorf("%s forwards to port %v, which the pods have not", ident(obj), dig(p)["targetPort"])
			}
		}
	}
}

func checkHardened(t *testing.T, pods map[string]any) {
	t.Helper()
	if got := dig(pods, "metadata", "labels")["sidecar.istio.io/inject"]; got != "false" {
		t.Errorf("the pods are injected")
	}
	security := dig(pods, "spec", "securityContext")
	if security["runAsNonRoot"] != true || dig(security, "seccompProfile")["type"] != "RuntimeDefault" {
		t.Errorf("the pods' security context is %v", security)
	}
	for _, c := range dig(pods, "spec")["containers"].([]any) {
		container := dig(c)
		security := dig(container, "securityContext")
		if security["allowPrivilegeEscalation"] != false || security["readOnlyRootFilesystem"] != true || dig(security, "capabilities")["drop"].([]any)[0] != "ALL" {
			t.Errorf("%v has the security context %v", container["name"], security)
		}
		if len(dig(container, "resources", "requests")) != 2 || container["readinessProbe"] == nil {
			t.Errorf("%v asks for %v and has the readiness probe %v", container["name"], container["resources"], container["readinessProbe"])
		}
		if image := container["image"].(string); !strings.Contains(image, ":") || strings.HasSuffix(image, ":latest") {
			t.Errorf("the image %s is not pinned", image)
		}
	}
}

func TestZipkinKeepsItsName(t *testing.T) {
	t.Parallel()
	all, err := Addons(AddonNames(), "istio-system")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, c := range all {
		for _, obj := range c.Objects {
			if other, twice := seen[ident(obj)]; twice {
				t.Errorf("%s is in %s and in %s", ident(obj), other, c.Name)
			}
			seen[ident(obj)] = c.Name
		}
	}
	if got := seen["Service istio-system/zipkin"]; got != "addons.zipkin" {
		t.Errorf("the service zipkin is in %q", got)
	}
}

func TestUnknownAddon(t *testing.T) {
	t.Parallel()
	_, err := Addons([]string{"kialy"}, "istio-system")
	if hint.ClassOf(err) != hint.Usage || !strings.HasPrefix(hint.Of(err), `did you mean "kiali"?`) {
		t.Errorf("error %v, hint %q", err, hint.Of(err))
	}
}
