package install

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
)

// installed is a cluster with two revisions, an add-on and things of other people.
func installed() *memory {
	m := newMemory()
	put := func(component, revision string, obj *unstructured.Unstructured) {
		labels := map[string]string{}
		if component != "" {
			labels[LabelComponent] = component
		}
		if revision != "" {
			labels[LabelRevision] = revision
		}
		obj.SetLabels(labels)
		m.objects[ident(obj)] = obj
	}
	put("Base", "", object("CustomResourceDefinition", "", "telemetries"))
	put("Base", "", object("ServiceAccount", "istio-system", "reader"))
	put("Pilot", "default", object("Deployment", "istio-system", "istiod"))
	put("Pilot", "default", object("ConfigMap", "istio-system", "istio"))
	put("Pilot", "default", object("MutatingWebhookConfiguration", "", "injector"))
	put("Pilot", "canary", object("Deployment", "istio-system", "istiod-canary"))
	put("Cni", "default", object("DaemonSet", "kube-system", "cni"))
	put("IngressGateways", "default", object("Deployment", "istio-system", "gateway"))
	put("addons.kiali", "", object("Deployment", "istio-system", "kiali"))
	put("", "", object("Deployment", "default", "mine"))
	old := object("Service", "istio-system", "of-istioctl")
	old.SetLabels(map[string]string{LabelIstioComponent: "Pilot", LabelRevision: "default"})
	m.objects[ident(old)] = old
	copied := object("Endpoints", "istio-system", "of-istioctl")
	copied.SetLabels(old.GetLabels())
	m.objects[ident(copied)] = copied
	dependent := object("ConfigMap", "istio-system", "of-a-controller")
	dependent.SetLabels(old.GetLabels())
	dependent.SetOwnerReferences([]metav1.OwnerReference{{Kind: "Deployment", Name: "istiod", UID: "u"}})
	m.objects[ident(dependent)] = dependent
	return m
}

func TestPurgeGoesBackwards(t *testing.T) {
	t.Parallel()
	m := installed()
	r, err := Find(t.Context(), m, FindOptions{Purge: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Check(t.Context(), m); err != nil || len(m.did("delete")) > 0 {
		t.Fatalf("check: %v, deleted %q", err, m.did("delete"))
	}
	if err := r.Remove(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	stages := [][]string{
		{"MutatingWebhookConfiguration injector"},
		{"Deployment istio-system/gateway", "Deployment istio-system/kiali"},
		{"Deployment istio-system/istiod", "Deployment istio-system/istiod-canary"},
		{"DaemonSet kube-system/cni"},
		{"ConfigMap istio-system/istio", "Service istio-system/of-istioctl", "ServiceAccount istio-system/reader"},
		{"CustomResourceDefinition telemetries"},
	}
	did := m.did("delete")
	for _, stage := range stages {
		n := min(len(stage), len(did))
		if diff := cmp.Diff(stage, slices.Sorted(slices.Values(did[:n]))); diff != "" {
			t.Errorf("stage differs (-want +got):\n%s", diff)
		}
		did = did[n:]
	}
	if len(did) > 0 {
		t.Errorf("deleted besides: %q", did)
	}
	again, err := Find(t.Context(), m, FindOptions{Purge: true})
	if err != nil || len(again.Objects) > 0 {
		t.Errorf("a second time: %v, %d objects", err, len(again.Objects))
	}
	if got := again.Report().Tables(false)[0].Empty; got != "nothing to uninstall" {
		t.Errorf("says %q", got)
	}
}

func TestRevisionLeavesWhatAllShare(t *testing.T) {
	t.Parallel()
	r, err := Find(t.Context(), installed(), FindOptions{Revision: "canary"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range r.Objects {
		got = append(got, ident(x.Object))
	}
	if diff := cmp.Diff([]string{"Deployment istio-system/istiod-canary"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestKindsThatMayNotBeListedAreNamed(t *testing.T) {
	t.Parallel()
	m := installed()
	m.fail = func(call string) error {
		if call == "list ConfigMap" {
			return forbidden("list", "configmaps")
		}
		return nil
	}
	r, err := Find(t.Context(), m, FindOptions{Purge: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"ConfigMap"}, r.Skipped); diff != "" {
		t.Error(diff)
	}
}

func TestWhatMayNotBeDeletedIsSaidBefore(t *testing.T) {
	t.Parallel()
	m := installed()
	m.fail = func(call string) error {
		if strings.HasPrefix(call, "try Deployment") {
			return forbidden("delete", "deployments")
		}
		return nil
	}
	r, err := Find(t.Context(), m, FindOptions{Purge: true})
	if err != nil {
		t.Fatal(err)
	}
	err = r.Check(t.Context(), m)
	if hint.ClassOf(err) != hint.Unanswerable || len(m.did("delete")) > 0 {
		t.Errorf("class %v, error %v, deleted %q", hint.ClassOf(err), err, m.did("delete"))
	}
}

func TestRemovalStopsWhereSomethingStays(t *testing.T) {
	t.Parallel()
	m := installed()
	stuck := m.objects["Deployment istio-system/gateway"]
	stuck.SetFinalizers([]string{"example.com/slow"})
	r, err := Find(t.Context(), m, FindOptions{Purge: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer stop()
	err = r.Remove(ctx, keeping{m, stuck}, nil)
	if err == nil || !strings.Contains(err.Error(), "still there at the deadline, its finalizers are example.com/slow") || !strings.Contains(err.Error(), "removed 2 of 10 objects") {
		t.Errorf("error %v", err)
	}
	if slices.Contains(m.did("delete"), "Deployment istio-system/istiod") {
		t.Error("istiod was deleted before the gateway was gone")
	}
}

// keeping is a cluster in which one object stays when it is deleted, as those
// with finalizers do.
type keeping struct {
	*memory
	stuck *unstructured.Unstructured
}

func (k keeping) Delete(ctx context.Context, obj *unstructured.Unstructured, dryRun bool) error {
	if ident(obj) == ident(k.stuck) {
		return nil
	}
	return k.memory.Delete(ctx, obj, dryRun)
}
