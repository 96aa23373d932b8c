package kube

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/meshctl/meshctl/internal/hint"
)

func pod(namespace, name string, ready bool, labels map[string]string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}}
	p.Status.Phase = corev1.PodRunning
	if ready {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	}
	return p
}

func workload(apiVersion, kind, namespace, name string, selector any) *unstructured.Unstructured {
	spec := map[string]any{}
	if selector != nil {
		spec["selector"] = selector
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind,
		"metadata": map[string]any{"namespace": namespace, "name": name},
		"spec":     spec,
	}}
}

func fakeClient(pods []*corev1.Pod, workloads ...*unstructured.Unstructured) *Client {
	objects := make([]runtime.Object, 0, len(pods))
	for _, p := range pods {
		objects = append(objects, p)
	}
	k := fake.NewClientset(objects...)
	lists := map[schema.GroupVersionResource]string{}
	for _, kind := range WorkloadKinds() {
		resource, _ := workloadResource(kind)
		lists[resource] = "List"
	}
	d := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists)
	for _, w := range workloads {
		resource, _ := workloadResource(w.GetKind())
		if err := d.Tracker().Create(resource, w, w.GetNamespace()); err != nil {
			panic(err)
		}
	}
	return &Client{
		kubernetes: func() (kubernetes.Interface, error) { return k, nil },
		dynamic:    func() (dynamic.Interface, error) { return d, nil },
	}
}

func shop() *Client {
	web, gw := map[string]string{"app": "web"}, map[string]string{gatewayNameLabel: "edge"}
	pending := pod("shop", "stuck", false, nil)
	pending.Status.Phase = corev1.PodPending
	leaving := pod("shop", "web-0", true, web)
	leaving.DeletionTimestamp, leaving.Finalizers = &metav1.Time{}, []string{"x"}
	return fakeClient([]*corev1.Pod{
		leaving, pod("shop", "web-1", false, web), pod("shop", "web-2", true, web), pod("shop", "web-3", true, web),
		pod("shop", "dotted.name", true, nil), pod("other", "db-0", true, nil), pod("shop", "edge-1", true, gw), pending,
	},
		workload("apps/v1", "Deployment", "shop", "web", map[string]any{"matchLabels": map[string]any{"app": "web"}}),
		workload("apps/v1", "StatefulSet", "shop", "empty", map[string]any{"matchLabels": map[string]any{"app": "none"}}),
		workload("v1", "Service", "shop", "web.v1", map[string]any{"app": "web"}),
		workload("v1", "Service", "shop", "external", nil),
		workload("gateway.networking.k8s.io/v1", "Gateway", "shop", "edge", nil),
	)
}

func TestFindPod(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ arg, want string }{
		{"web-1", "shop/web-1"},
		{"db-0.other", "other/db-0"},
		{"pod/web-1", "shop/web-1"},
		{"po/db-0.other", "other/db-0"},
		{"dotted.name", "shop/dotted.name"},
		{"deploy/web", "shop/web-2"}, // the first that is ready
		{"Deployment/web.shop", "shop/web-2"},
		{"svc/web.v1.shop", "shop/web-2"},
		{"gateway/edge", "shop/edge-1"},
	} {
		got, err := shop().FindPod(t.Context(), tc.arg, "shop")
		if err != nil {
			t.Errorf("%s: %v", tc.arg, err)
			continue
		}
		if name := got.Namespace + "/" + got.Name; name != tc.want {
			t.Errorf("%s is %s, want %s", tc.arg, name, tc.want)
		}
	}
}

func TestFindPodErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ arg, want, tip string }{
		{"db-0", `there is no pod "db-0" in namespace "shop"`, "name it db-0.other"},
		{"web", `there is no pod "web" in namespace "shop"`, "deploy/web"},
		{"wbe-1", `there is no pod "wbe-1" in namespace "shop"`, `did you mean "web-1"?`},
		{"nothing-like-it", `there is no pod "nothing-like-it" in namespace "shop"`, "kubectl get pods -n shop"},
		{"stuck", "pod stuck.shop is not running: it is Pending", "kubectl describe pod -n shop stuck"},
		{"deploy/wbe", `there is no deploy "wbe" in namespace "shop"`, `did you mean "deploy/web"?`},
		{"sts/empty", `sts/empty in namespace "shop" has no pods`, "app=none"},
		{"svc/external", `svc/external in namespace "shop": it selects no pods: it has no spec.selector`, "name a pod"},
		{"deploy/", `"deploy/" does not name a pod or a workload`, "POD.NAMESPACE"},
		{"a/b/c", `"a/b/c" does not name a pod or a workload`, "POD.NAMESPACE"},
	} {
		_, err := shop().FindPod(t.Context(), tc.arg, "shop")
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: error %q, want %q", tc.arg, err, tc.want)
			continue
		}
		if !strings.Contains(hint.Of(err), tc.tip) {
			t.Errorf("%s: hint %q, want %q in it", tc.arg, hint.Of(err), tc.tip)
		}
		if hint.ClassOf(err) == hint.Failed {
			t.Errorf("%s: exit code 1, want 2", tc.arg)
		}
	}
}

func TestPodsComeReadyFirst(t *testing.T) {
	t.Parallel()
	pods, err := shop().FindPods(t.Context(), "deploy/web", "shop")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range pods {
		names = append(names, p.Name)
	}
	if want := []string{"web-2", "web-3", "web-1", "web-0"}; !slices.Equal(names, want) {
		t.Errorf("order %v, want %v", names, want)
	}
}

func TestIstiods(t *testing.T) {
	t.Parallel()
	istiod := func(name, revision string) *corev1.Pod {
		return pod("istio-system", name, true, map[string]string{"app": "istiod", "istio.io/rev": revision})
	}
	stopped := istiod("istiod-c", "old")
	stopped.Status.Phase = corev1.PodFailed
	other := istiod("istiod-b", "canary")
	other.Annotations = map[string]string{"prometheus.io/port": "16014"}
	other.Spec.Containers = []corev1.Container{{Name: "discovery", Env: []corev1.EnvVar{{Name: "CLUSTER_ID", Value: "east"}}}}
	c := fakeClient([]*corev1.Pod{other, istiod("istiod-a", "default"), stopped})

	all, err := c.Istiods(t.Context(), "istio-system", "")
	if want := "[{istio-system istiod-a default  15014} {istio-system istiod-b canary east 16014}]"; err != nil || fmt.Sprint(all) != want {
		t.Errorf("%v, %v; want %v", all, err, want)
	}
	if one, err := c.Istiods(t.Context(), "istio-system", "canary"); err != nil || len(one) != 1 || one[0].Name != "istiod-b" {
		t.Errorf("canary: %v, %v", one, err)
	}
	for _, tc := range []struct{ namespace, revision, want, tip string }{
		{"istio-system", "old", `no istiod runs in namespace "istio-system": istiod-c is Failed`, "describe"},
		{"istio-system", "prod", `no istiod of revision "prod" runs in namespace "istio-system"`, "revisions there: default, canary, old"},
		{"elsewhere", "", `there is no istiod in namespace "elsewhere"`, "meshctl install"},
	} {
		_, err := c.Istiods(t.Context(), tc.namespace, tc.revision)
		if err == nil || err.Error() != tc.want || !strings.Contains(hint.Of(err), tc.tip) {
			t.Errorf("%s %s: %v (hint %q), want %q (%q)", tc.namespace, tc.revision, err, hint.Of(err), tc.want, tc.tip)
		}
	}
}
