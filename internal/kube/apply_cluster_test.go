package kube

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// clusterEnv names the kubeconfig of a cluster that the tests below may change.
const clusterEnv = "MESHCTL_TEST_KUBECONFIG"

// realObjects are the objects of a real API server, as manager, and a namespace
// in it of the test's own.
func realObjects(t *testing.T, manager string) (*Objects, string) {
	t.Helper()
	path := os.Getenv(clusterEnv)
	if path == "" {
		t.Skipf("no API server: set %s to the kubeconfig of one", clusterEnv)
	}
	flags := genericclioptions.NewConfigFlags(true)
	flags.KubeConfig = &path
	o := NewObjects(NewClient(flags, 10*time.Second), manager)
	ns := made("v1", "Namespace", "", fmt.Sprintf("kube-test-%d", time.Now().UnixNano()))
	if _, err := o.Apply(t.Context(), ns, false, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Delete(context.Background(), ns, false) })
	return o, ns.GetName()
}

func made(version, kind, namespace, name string) *unstructured.Unstructured {
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetAPIVersion(version)
	obj.SetKind(kind)
	obj.SetNamespace(namespace)
	obj.SetName(name)
	return obj
}

func configMap(namespace, value string) *unstructured.Unstructured {
	obj := made("v1", "ConfigMap", namespace, "mesh")
	obj.SetLabels(map[string]string{"part": "of-it"})
	obj.Object["data"] = map[string]any{"key": value}
	return obj
}

func TestApplyOnAnAPIServer(t *testing.T) {
	t.Parallel()
	o, ns := realObjects(t, "meshctl")
	kind := schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}

	if _, err := o.Apply(t.Context(), configMap(ns, "a"), true, false); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Get(t.Context(), kind, ns, "mesh"); !apierrors.IsNotFound(err) {
		t.Fatalf("after a dry run: %v", err)
	}
	first, err := o.Apply(t.Context(), configMap(ns, "a"), false, false)
	if err != nil {
		t.Fatal(err)
	}
	again, err := o.Apply(t.Context(), configMap(ns, "a"), false, false)
	if err != nil || again.GetResourceVersion() != first.GetResourceVersion() {
		t.Errorf("applying the same wrote: %v, %s then %s", err, first.GetResourceVersion(), again.GetResourceVersion())
	}

	other := NewObjects(o.client, "somebody")
	if _, err := other.Apply(t.Context(), configMap(ns, "b"), false, false); !apierrors.IsConflict(err) {
		t.Errorf("another manager's value: %v", err)
	}
	if _, err := other.Apply(t.Context(), configMap(ns, "b"), false, true); err != nil {
		t.Errorf("by force: %v", err)
	}
	list, err := o.List(t.Context(), kind, "", "part=of-it")
	if err != nil || !slices.ContainsFunc(list, func(c *unstructured.Unstructured) bool { return c.GetNamespace() == ns }) {
		t.Errorf("listing by label: %v, %d found", err, len(list))
	}
}

func TestKindOfANewCRDIsFound(t *testing.T) {
	t.Parallel()
	o, ns := realObjects(t, "meshctl")
	group := fmt.Sprintf("g%d.example.com", time.Now().UnixNano())
	thing := made(group+"/v1", "Thing", ns, "one")
	if _, err := o.Apply(t.Context(), thing, false, false); !meta.IsNoMatchError(err) {
		t.Fatalf("before its CRD: %v", err)
	}
	crd := made("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "things."+group)
	crd.Object["spec"] = map[string]any{
		"group": group, "scope": "Namespaced", "names": map[string]any{"kind": "Thing", "plural": "things"},
		"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true,
			"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object"}}}},
	}
	if _, err := o.Apply(t.Context(), crd, false, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Delete(context.Background(), crd, false) })
	eventually(t, func() error {
		_, err := o.Apply(t.Context(), thing, false, false)
		return err
	})
	kinds, err := o.Kinds(t.Context())
	if err != nil || !slices.Contains(kinds, schema.GroupVersionKind{Group: group, Version: "v1", Kind: "Thing"}) {
		t.Errorf("kinds: %v, without Thing", err)
	}
}

func TestFollowSeesEverythingOnce(t *testing.T) {
	t.Parallel()
	o, ns := realObjects(t, "meshctl")
	if _, err := o.Apply(t.Context(), configMap(ns, "before"), false, false); err != nil {
		t.Fatal(err)
	}
	seen := make(chan string, 100)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- o.Follow(ctx, schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, ns, func(obj *unstructured.Unstructured, gone bool) {
			if obj.GetName() == "mesh" {
				value, _, _ := unstructured.NestedString(obj.Object, "data", "key")
				seen <- fmt.Sprintf("%s gone=%v", value, gone)
			}
		})
	}()
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-seen:
			if got != want {
				t.Errorf("saw %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("never saw %q", want)
		}
	}
	expect("before gone=false")
	live, err := o.Apply(t.Context(), configMap(ns, "after"), false, false)
	if err != nil {
		t.Fatal(err)
	}
	expect("after gone=false")
	if err := o.Delete(t.Context(), live, true); err != nil {
		t.Fatal(err)
	}
	if err := o.Delete(t.Context(), live, false); err != nil {
		t.Fatal(err)
	}
	expect("after gone=true")
	stop()
	if err := <-ended; err != nil {
		t.Errorf("ended with %v", err)
	}
	if err := o.Follow(t.Context(), schema.GroupVersionKind{Group: "no.such", Version: "v1", Kind: "Thing"}, ns, nil); !meta.IsNoMatchError(err) {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestDeleteLeavesItsSuccessorAlone(t *testing.T) {
	t.Parallel()
	o, ns := realObjects(t, "meshctl")
	old, err := o.Apply(t.Context(), configMap(ns, "old"), false, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Delete(t.Context(), old, false); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Apply(t.Context(), configMap(ns, "new"), false, false); err != nil {
		t.Fatal(err)
	}
	if err := o.Delete(t.Context(), old, false); !apierrors.IsConflict(err) || !strings.Contains(err.Error(), "UID") {
		t.Errorf("deleting the old again: %v", err)
	}
}

func eventually(t *testing.T, do func() error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 20*time.Second, true, func(context.Context) (bool, error) {
		last = do()
		return last == nil, nil
	})
	if err != nil {
		t.Fatal(last)
	}
}

func TestOwnOnAnAPIServer(t *testing.T) {
	t.Parallel()
	o, ns := realObjects(t, "meshctl")
	other := NewObjects(o.client, "somebody")
	first, err := other.Apply(t.Context(), configMap(ns, "a"), false, false)
	if err != nil {
		t.Fatal(err)
	}
	ours := first.DeepCopy()
	fields := ours.GetManagedFields()
	fields[0].Manager = "meshctl"
	ours.SetManagedFields(fields)
	stale := ours.DeepCopy()
	stale.SetResourceVersion("1")
	if err := o.Own(t.Context(), stale); !apierrors.IsConflict(err) {
		t.Errorf("an object that changed meanwhile: %v", err)
	}
	if err := o.Own(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	bare := configMap(ns, "b")
	bare.SetLabels(nil)
	got, err := o.Apply(t.Context(), bare, false, false)
	if err != nil {
		t.Fatalf("our own fields conflict: %v", err)
	}
	if len(got.GetLabels()) > 0 {
		t.Errorf("what we leave out stays: %v", got.GetLabels())
	}
	if who, err := o.client.WhoAmI(t.Context()); err != nil || who == "" {
		t.Errorf("this is %q, error %v", who, err)
	}
}
