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
	"k8s.io/apimachinery/pkg/runtime/schema"

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

func TestAWebhookOfBaseGoesWithItsRevision(t *testing.T) {
	t.Parallel()
	m := installed()
	validator := object("ValidatingWebhookConfiguration", "", "istiod-default-validator")
	validator.SetLabels(map[string]string{LabelComponent: "Base", LabelRevision: "canary"})
	m.objects[ident(validator)] = validator
	r, err := Find(t.Context(), m, FindOptions{Revision: "canary"})
	if err != nil || len(r.Objects) != 2 || ident(r.Objects[0].Object) != ident(validator) {
		t.Errorf("%v, %d objects", err, len(r.Objects))
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

// TestPurgeTakesWhatIsWrittenBesides has the tag that istioctl set, what istiod
// wrote, and meshctl's own records.
func TestPurgeTakesWhatIsWrittenBesides(t *testing.T) {
	t.Parallel()
	put := func(m *memory, labels map[string]string, obj *unstructured.Unstructured) *unstructured.Unstructured {
		obj.SetLabels(labels)
		m.objects[ident(obj)] = obj
		return obj
	}
	fill := func() *memory {
		m := installed()
		put(m, map[string]string{"istio.io/tag": "prod", LabelRevision: "canary"}, object("MutatingWebhookConfiguration", "", "tag-prod"))
		put(m, map[string]string{"istio.io/config": "true"}, object("ConfigMap", "shop", "istio-ca-root-cert"))
		put(m, nil, object("ConfigMap", "istio-system", "istio-leader")).SetAnnotations(map[string]string{"control-plane.alpha.kubernetes.io/leader": "{}"})
		put(m, nil, object("ConfigMap", "istio-system", "istio-of-mine"))
		put(m, nil, object("Lease", "istio-system", "istio-gateway-deployment-canary"))
		put(m, nil, object("Lease", "istio-system", "istio-gateway-deployment-default"))
		put(m, nil, object("Secret", "istio-system", "istio-ca-secret"))
		put(m, nil, object("Namespace", "", "istio-system"))
		put(m, nil, object("Namespace", "", "kube-system"))
		for _, revision := range []string{"default", "canary"} {
			inv := &Inventory{Revision: revision, History: []Entry{{Number: 3}, {Number: 4}}, namespace: "istio-system"}
			record := inv.object()
			m.objects[ident(record)] = record
			put(m, nil, object("Secret", "istio-system", HistoryName(revision, 3)))
			put(m, nil, object("Secret", "istio-system", HistoryName(revision, 4)))
		}
		return m
	}
	for name, c := range map[string]struct {
		options    FindOptions
		goes, kept []string
	}{
		"purge": {FindOptions{Purge: true, Namespace: "istio-system"},
			[]string{"MutatingWebhookConfiguration tag-prod", "ConfigMap shop/istio-ca-root-cert", "ConfigMap istio-system/istio-leader",
				"Lease istio-system/istio-gateway-deployment-canary", "Lease istio-system/istio-gateway-deployment-default",
				"Secret istio-system/meshctl-history-default-3", "Secret istio-system/meshctl-history-canary-4", "ConfigMap istio-system/meshctl-inventory-default"},
			[]string{"Secret istio-system/istio-ca-secret"}},
		"purge, namespaces too": {FindOptions{Purge: true, Namespace: "istio-system", Namespaces: true},
			[]string{"ConfigMap istio-system/istio-leader"},
			[]string{"Secret istio-system/istio-ca-secret", "Namespace istio-system: it has ConfigMap istio-system/istio-of-mine and 1 more"}},
		"purge, the key too": {FindOptions{Purge: true, Namespace: "istio-system", CASecret: true},
			[]string{"Secret istio-system/istio-ca-secret"}, nil},
		"a revision": {FindOptions{Revision: "canary", Namespace: "istio-system"},
			[]string{"MutatingWebhookConfiguration tag-prod", "Deployment istio-system/istiod-canary", "Lease istio-system/istio-gateway-deployment-canary",
				"Secret istio-system/meshctl-history-canary-3", "Secret istio-system/meshctl-history-canary-4", "ConfigMap istio-system/meshctl-inventory-canary"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := fill()
			r, err := Find(t.Context(), m, c.options)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, x := range r.Objects {
				found = append(found, ident(x.Object))
			}
			for _, want := range c.goes {
				if !slices.Contains(found, want) {
					t.Errorf("%s stays", want)
				}
			}
			if slices.Contains(found, "ConfigMap istio-system/istio-of-mine") || slices.Contains(found, "Namespace kube-system") {
				t.Errorf("what is others' goes: %q", found)
			}
			if c.options.Revision != "" && len(found) != len(c.goes) {
				t.Errorf("goes: %q", found)
			}
			if len(r.Kept) != len(c.kept) {
				t.Errorf("kept %q", r.Kept)
			}
			for _, want := range c.kept {
				if !slices.ContainsFunc(r.Kept, func(k string) bool { return strings.HasPrefix(k, want) }) {
					t.Errorf("it is not said that %s: %q", want, r.Kept)
				}
			}
			if err := r.Remove(t.Context(), m, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNamespacesWithNothingElseInThemGo(t *testing.T) {
	t.Parallel()
	m := newMemory()
	for _, o := range []*unstructured.Unstructured{object("Deployment", "istio-system", "istiod"), object("DaemonSet", "kube-system", "cni")} {
		o.SetLabels(map[string]string{LabelComponent: "Pilot", LabelRevision: "default"})
		m.objects[ident(o)] = o
	}
	for _, o := range []*unstructured.Unstructured{
		object("Namespace", "", "istio-system"), object("Namespace", "", "kube-system"),
		object("ServiceAccount", "istio-system", "default"), object("ConfigMap", "istio-system", "kube-root-ca.crt"),
	} {
		m.objects[ident(o)] = o
	}
	r, err := Find(t.Context(), m, FindOptions{Purge: true, Namespaces: true})
	if err != nil {
		t.Fatal(err)
	}
	if last := ident(r.Objects[len(r.Objects)-1].Object); last != "Namespace istio-system" || len(r.Objects) != 3 {
		t.Errorf("%d objects, the last is %s", len(r.Objects), last)
	}
}

// TestRemovalFollowsWhatTakesItsTime deletes an object that goes later.
func TestRemovalFollowsWhatTakesItsTime(t *testing.T) {
	t.Parallel()
	m := installed()
	slow := m.objects["Deployment istio-system/istiod-canary"]
	slow.SetUID("u")
	r, err := Find(t.Context(), m, FindOptions{Revision: "canary"})
	if err != nil {
		t.Fatal(err)
	}
	c := &lingering{memory: m, slow: slow}
	if err := r.Remove(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	if !r.Objects[0].Gone || len(m.did("follow")) != 1 {
		t.Errorf("gone: %v, followed %q", r.Objects[0].Gone, m.did("follow"))
	}
}

// lingering is a cluster in which a deleted object goes when somebody watches.
type lingering struct {
	*memory
	slow *unstructured.Unstructured
}

func (l *lingering) Delete(ctx context.Context, obj *unstructured.Unstructured, dryRun bool) error {
	if ident(obj) == ident(l.slow) {
		return nil
	}
	return l.memory.Delete(ctx, obj, dryRun)
}

func (l *lingering) Follow(ctx context.Context, kind schema.GroupVersionKind, namespace string, see func(*unstructured.Unstructured, bool)) error {
	l.mu.Lock()
	_ = l.called("follow " + kind.Kind)
	l.mu.Unlock()
	see(l.slow, false)
	see(l.slow, true)
	<-ctx.Done()
	return nil
}
