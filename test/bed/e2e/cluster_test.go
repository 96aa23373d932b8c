package e2e

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/test/bed"
)

// onBed brings up a bed of the test's own, and the program to run against it.
func onBed(t *testing.T, o bed.Options) (*bed.Bed, meshctl) {
	t.Helper()
	b, err := bed.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	return b, meshctl{binary: build(t), kubeconfig: b.Kubeconfig(), home: t.TempDir()}
}

// apply applies a file of the demo.
func (j *job) apply(t *testing.T, file string) {
	t.Helper()
	applyText(t, j.bed.REST(), string(must(os.ReadFile(filepath.Join(repo, "test", "demo", file)))))
}

// applyText applies YAML documents by server-side apply.
func applyText(t *testing.T, config *rest.Config, text string) {
	t.Helper()
	for _, o := range decodeAll(t, text) {
		_, err := resource(t, config, o.GetAPIVersion(), plural(o.GetKind()), o.GetNamespace()).
			Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "e2e", Force: true})
		if err != nil {
			t.Fatalf("applying %s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// decodeAll reads YAML documents.
func decodeAll(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	docs := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	var all []*unstructured.Unstructured
	for {
		var o unstructured.Unstructured
		if err := docs.Decode(&o.Object); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if o.Object != nil {
			all = append(all, &o)
		}
	}
}

// kindAt is where objects of a kind are listed.
type kindAt struct{ apiVersion, resource, namespace string }

// installedKinds are kinds that every install with istiod brings, of which
// nobody writes the status once all is ready.
func installedKinds() []kindAt {
	return []kindAt{
		{"v1", "services", "istio-system"}, {"v1", "configmaps", "istio-system"}, {"v1", "secrets", "istio-system"}, {"v1", "serviceaccounts", "istio-system"},
		{"rbac.authorization.k8s.io/v1", "clusterroles", ""}, {"rbac.authorization.k8s.io/v1", "clusterrolebindings", ""},
		{"rbac.authorization.k8s.io/v1", "roles", "istio-system"}, {"rbac.authorization.k8s.io/v1", "rolebindings", "istio-system"},
		{"admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", ""}, {"admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", ""},
		{"apiextensions.k8s.io/v1", "customresourcedefinitions", ""}, {"apps/v1", "deployments", "istio-system"},
	}
}

// versions are the resourceVersions of what meshctl applied and recorded, of
// kinds whose status nobody writes once all is ready.
func versions(t *testing.T, config *rest.Config) map[string]string {
	t.Helper()
	guarding(t, config)
	all := map[string]string{}
	for _, k := range installedKinds() {
		list, err := resource(t, config, k.apiVersion, k.resource, k.namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "meshctl.io/managed-by=meshctl"})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) == 0 {
			t.Errorf("no %s are labelled as meshctl's", k.resource)
		}
		for _, o := range list.Items {
			all[k.resource+"/"+o.GetName()] = o.GetResourceVersion()
		}
	}
	return all
}

// guarding waits until istiod has closed its validating webhooks, the last that
// it writes after its start: meshctl waits for it to be ready, which is earlier.
func guarding(t *testing.T, config *rest.Config) {
	t.Helper()
	webhooks := resource(t, config, "admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", "")
	open := func() string {
		list, err := webhooks.List(t.Context(), metav1.ListOptions{LabelSelector: "meshctl.io/managed-by=meshctl"})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list.Items {
			hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
			for _, h := range hooks {
				if policy, _, _ := unstructured.NestedString(h.(map[string]any), "failurePolicy"); policy != "Fail" {
					return o.GetName()
				}
			}
		}
		return ""
	}
	deadline := time.Now().Add(time.Minute)
	for name := open(); name != ""; name = open() {
		if time.Now().After(deadline) {
			t.Fatalf("istiod has not closed the validating webhook %s", name)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func plural(kind string) string {
	if stem, ok := strings.CutSuffix(kind, "Policy"); ok {
		return strings.ToLower(stem) + "policies"
	}
	return strings.ToLower(kind) + "s"
}

// ready waits until a Deployment has its replicas.
func (j *job) ready(t *testing.T, namespace, name string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		d := j.get(t, "apps/v1", "deployments", namespace, name)
		if n, _, _ := unstructured.NestedInt64(d.Object, "status", "readyReplicas"); n >= 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("Deployment %s/%s is not ready after a minute: %v", namespace, name, d.Object["status"])
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (j *job) get(t *testing.T, apiVersion, resource, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := j.resource(t, apiVersion, resource, namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func (j *job) resource(t *testing.T, apiVersion, name, namespace string) dynamic.ResourceInterface {
	t.Helper()
	return resource(t, j.bed.REST(), apiVersion, name, namespace)
}

func resource(t *testing.T, config *rest.Config, apiVersion, name, namespace string) dynamic.ResourceInterface {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	gv, err := schema.ParseGroupVersion(apiVersion)
	if err != nil {
		t.Fatal(err)
	}
	r := client.Resource(gv.WithResource(name))
	if namespace == "" {
		return r
	}
	return r.Namespace(namespace)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
