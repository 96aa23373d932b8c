package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// recording is a cluster in memory that notes us as the owner of what we apply.
func recording() *memory {
	m := newMemory()
	m.settle = func(obj *unstructured.Unstructured) {
		makeReady(obj)
		obj.SetManagedFields([]metav1.ManagedFieldsEntry{{
			Manager: FieldManager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: obj.GetAPIVersion(),
			FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1("{}"),
		}})
	}
	return m
}

// ours is a manifest of config maps, and a CRD, as they are rendered.
func ours(names ...string) *Manifest {
	c := Component{Name: "Pilot", Objects: []*unstructured.Unstructured{definition("telemetries", "telemetry.istio.io", "Telemetry")}}
	for _, name := range names {
		c.Objects = append(c.Objects, object("ConfigMap", "istio-system", name))
	}
	for _, obj := range c.Objects {
		obj.SetLabels(map[string]string{LabelManagedBy: ManagedBy})
	}
	return &Manifest{Components: []Component{c}}
}

func options(action string) PlanOptions {
	return PlanOptions{Record: Record{
		Action: action, Version: "1.31.1", Profile: "demo", Inputs: Inputs{Set: []string{"a=b"}},
		By: func(context.Context) (string, error) { return "alice", nil }, Now: time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC),
	}}
}

func carried(t *testing.T, m *memory, what *Manifest, o PlanOptions) *Report {
	t.Helper()
	p, err := NewPlan(t.Context(), m, what, o)
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Apply(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func inventory(t *testing.T, m *memory, revision string) *Inventory {
	t.Helper()
	all, err := Inventories(t.Context(), m, "istio-system")
	if err != nil {
		t.Fatal(err)
	}
	for _, inv := range all {
		if inv.Revision == revision {
			return inv
		}
	}
	t.Fatalf("no inventory of %s among %d", revision, len(all))
	return nil
}

func TestOnlyWhatIsRecordedIsPruned(t *testing.T) {
	t.Parallel()
	m := recording()
	carried(t, m, ours("a", "b", "c", "d", "e"), options("install"))
	stranger := object("ConfigMap", "istio-system", "stranger")
	stranger.SetLabels(map[string]string{LabelManagedBy: ManagedBy, LabelComponent: "Pilot"})
	m.put(stranger)
	m.objects["ConfigMap istio-system/c"].SetAnnotations(map[string]string{helmRelease: "mine", helmNamespace: "x"})
	m.objects["ConfigMap istio-system/d"].SetLabels(nil)
	m.objects["ConfigMap istio-system/e"].SetLabels(map[string]string{LabelManagedBy: ManagedBy, "istio.io/tag": "default", LabelRevision: "canary"})

	slim := ours("a")
	slim.Components[0].Objects = slim.Components[0].Objects[1:] // without the CRD
	p, err := NewPlan(t.Context(), m, slim, options("install"))
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, l := range p.Left {
		left = append(left, l.Ident()+": "+l.Why)
	}
	want := []string{
		"ConfigMap istio-system/c: it belongs to Helm release x/mine now",
		"ConfigMap istio-system/d: its label meshctl.io/managed-by is no longer meshctl",
		"ConfigMap istio-system/e: the tag default points at revision canary now",
	}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Error(diff)
	}
	if _, err := p.Apply(t.Context(), m, options("install")); err != nil {
		t.Fatal(err)
	}
	if deleted := m.did("delete"); !slices.Equal(deleted, []string{"ConfigMap istio-system/b"}) {
		t.Errorf("deleted %q", deleted)
	}
	if inv := inventory(t, m, "default"); !inv.has(recordedOf("", definition("telemetries", "", ""))) || inv.has(recordedOf("", stranger)) || len(inv.Objects) != 3 {
		t.Errorf("recorded %v", inv.Objects)
	}
}

func TestPruningCanBeSwitchedOffAndComesBack(t *testing.T) {
	t.Parallel()
	m := recording()
	carried(t, m, ours("a", "b"), options("install"))
	keep := options("install")
	keep.KeepUnused = true
	carried(t, m, ours("a"), keep)
	if deleted := m.did("delete"); len(deleted) > 0 {
		t.Errorf("deleted %q", deleted)
	}
	if r := carried(t, m, ours("a"), options("install")); componentOf(r, "istiod").Pruned != 1 {
		t.Errorf("afterwards %+v", r.Components)
	}
}

func TestWhatAnotherRevisionNeedsStays(t *testing.T) {
	t.Parallel()
	m := recording()
	canary := options("install")
	canary.Revision = "canary"
	carried(t, m, ours("shared", "a"), options("install"))
	carried(t, m, ours("shared", "b"), canary)
	carried(t, m, ours("b"), canary)
	if deleted := m.did("delete"); len(deleted) > 0 {
		t.Errorf("deleted %q", deleted)
	}
	if got := len(inventory(t, m, "canary").Objects); got != 2 {
		t.Errorf("canary has %d objects, where it needs the CRD and b", got)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	m := recording()
	for n := range HistoryLimit + 2 {
		carried(t, m, ours("a", fmt.Sprintf("x%d", n)), options("install"))
	}
	inv := inventory(t, m, "default")
	if len(inv.History) != HistoryLimit || inv.History[0].Number != 3 || inv.Last().Number != HistoryLimit+2 {
		t.Errorf("kept %d entries from %d to %d", len(inv.History), inv.History[0].Number, inv.Last().Number)
	}
	for n, status := range map[int]EntryStatus{3: Superseded, HistoryLimit + 2: Deployed} {
		if e := inv.Entry(n); e.Status != status || e.By != "alice" || e.Version != "1.31.1" {
			t.Errorf("entry %d is %+v", n, e)
		}
	}
	if m.objects["Secret istio-system/meshctl-history-default-2"] != nil || m.objects["Secret istio-system/meshctl-history-default-3"] == nil {
		t.Error("the Secrets do not follow the entries")
	}
	if e := inv.Previous(); e == nil || e.Number != HistoryLimit+1 {
		t.Errorf("a rollback goes to %+v", e)
	}
	back, in, err := inv.Recall(t.Context(), m, 5)
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Components[0].Objects) != 2 || in.Set[0] != "a=b" {
		t.Errorf("recalled %d objects, inputs %+v; CRDs stay out", len(back.Components[0].Objects), in)
	}
	carried(t, m, back, options("rollback to 5"))
	if m.objects["ConfigMap istio-system/x4"] == nil || m.objects["ConfigMap istio-system/x11"] != nil || m.objects["CustomResourceDefinition telemetries"] == nil {
		t.Error("the rollback did not bring entry 5 back, or took a CRD")
	}
	if _, _, err := inv.Recall(t.Context(), m, 1); err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("an entry that is not kept: %v", err)
	}
}

func TestAFailureIsRecordedAndTheNextRunGoesOn(t *testing.T) {
	t.Parallel()
	m := recording()
	carried(t, m, ours("a", "b"), options("install"))
	m.fail = func(call string) error {
		if call == "apply ConfigMap istio-system/c" {
			return errors.New("no luck")
		}
		return nil
	}
	p, err := NewPlan(t.Context(), m, ours("a", "c"), options("install"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Apply(t.Context(), m, options("install")); err == nil {
		t.Fatal("no error")
	}
	inv := inventory(t, m, "default")
	if e := inv.Last(); e.Number != 2 || e.Status != Broken || !strings.Contains(e.Error, "no luck") || inv.Current().Number != 1 {
		t.Errorf("recorded %+v, good is %+v", e, inv.Current())
	}
	if m.objects["ConfigMap istio-system/b"] == nil || !inv.has(recordedOf("", object("ConfigMap", "istio-system", "b"))) {
		t.Error("what was to be pruned is forgotten, or gone too early")
	}
	m.fail = nil
	carried(t, m, ours("a", "c"), options("install"))
	inv = inventory(t, m, "default")
	if e := inv.Last(); e.Number != 2 || e.Status != Deployed || e.Error != "" {
		t.Errorf("recorded %+v", e)
	}
	if m.objects["ConfigMap istio-system/b"] != nil {
		t.Error("the object that is no longer wanted is still there")
	}
}

func TestARollbackLeavesTagsThatMoved(t *testing.T) {
	t.Parallel()
	m := recording()
	tag := func(revision string) *unstructured.Unstructured {
		obj := object("MutatingWebhookConfiguration", "", "istio-revision-tag-default")
		obj.SetLabels(map[string]string{LabelManagedBy: ManagedBy, "istio.io/tag": "default", LabelRevision: revision})
		return obj
	}
	m.put(tag("canary"))
	recalled := &Manifest{Components: []Component{{Name: "Pilot", Objects: []*unstructured.Unstructured{tag("default"), object("ConfigMap", "istio-system", "a")}}}}
	if err := recalled.leaveTags(t.Context(), m, "default"); err != nil {
		t.Fatal(err)
	}
	if objects := recalled.Components[0].Objects; len(objects) != 1 || objects[0].GetName() != "a" {
		t.Errorf("the rollback would apply %v", objects)
	}
}

func TestARunThatNeverEndedIsSaid(t *testing.T) {
	t.Parallel()
	m := recording()
	killed, stop := context.WithCancel(t.Context())
	m.fail = func(call string) error {
		if call == "apply ConfigMap istio-system/a" {
			stop()
			return context.Canceled
		}
		if killed.Err() != nil {
			return errors.New("killed") // nothing of it is recorded any more
		}
		return nil
	}
	p, err := NewPlan(t.Context(), m, ours("a"), options("install"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Apply(killed, m, options("install")); err == nil {
		t.Fatal("no error")
	}
	m.fail = nil
	if p, err = NewPlan(t.Context(), m, ours("b"), options("install")); err != nil || p.Resumes() == nil || p.Resumes().Status != Deploying {
		t.Fatalf("the plan says %v of the run before, error %v", p.Resumes(), err)
	}
	carried(t, m, ours("b"), options("install"))
	inv := inventory(t, m, "default")
	if first := inv.Entry(1); first.Status != Broken || !strings.Contains(first.Error, "did not end before entry 2") || inv.Last().Status != Deployed {
		t.Errorf("recorded %+v", inv.History)
	}
}

func TestWhatIsRestoredLeavesTheDefaultWhereItIs(t *testing.T) {
	t.Parallel()
	m := recording()
	injector := parse(t, `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: istio-sidecar-injector, labels: {app: sidecar-injector, istio.io/rev: default, meshctl.io/managed-by: meshctl}}
webhooks:
- name: namespace.sidecar-injector.istio.io
  clientConfig: {service: {name: istiod, namespace: istio-system, path: /inject}}
  namespaceSelector: {matchLabels: {istio-injection: enabled}}
`)
	carried(t, m, &Manifest{Components: []Component{{Name: "Pilot", Objects: []*unstructured.Unstructured{injector}}}}, options("install"))
	tag := injector.DeepCopy()
	tag.SetName("istio-revision-tag-default")
	tag.SetLabels(map[string]string{"app": "sidecar-injector", "istio.io/tag": "default", LabelRevision: "canary"})
	m.put(tag)
	back, _, err := inventory(t, m, "default").Restore(t.Context(), m, 1)
	if err != nil {
		t.Fatal(err)
	}
	hooks, _, _ := unstructured.NestedSlice(back.Components[0].Objects[0].Object, "webhooks")
	labels, _, _ := unstructured.NestedStringMap(hooks[0].(map[string]any), "namespaceSelector", "matchLabels")
	if labels["istio-injection"] != "" {
		t.Errorf("the injector would take back what the tag default has: %v", labels)
	}
}

func TestTheHistoryShowsNoSecrets(t *testing.T) {
	t.Parallel()
	m := recording()
	o := options("install")
	o.Record.Inputs = Inputs{
		Set:   []string{"values.a.apiToken=hunter2", "values.global.imagePullSecrets[0]=regcred", "tag=1.31.1"},
		Files: []File{{"mesh.yaml", []byte("spec:\n  values:\n    db:\n      password: hunter2\n      secretName: db\n")}},
	}
	carried(t, m, ours("a"), o)
	h, err := NewHistory(t.Context(), m, []*Inventory{inventory(t, m, "default")})
	if err != nil {
		t.Fatal(err)
	}
	in := h.Entries[0].Inputs
	if want := []string{"values.a.apiToken=***", "values.global.imagePullSecrets[0]=regcred", "tag=1.31.1"}; !slices.Equal(in.Set, want) {
		t.Errorf("settings are shown as %q", in.Set)
	}
	if got := in.Files[0].Content; strings.Contains(got, "hunter2") || !strings.Contains(got, "secretName: db") {
		t.Errorf("the file is shown as\n%s", got)
	}
	if got := in.String(); got != "-f mesh.yaml --set values.a.apiToken=*** --set values.global.imagePullSecrets[0]=regcred --set tag=1.31.1" {
		t.Errorf("in short they are %q", got)
	}
	if _, whole, err := inventory(t, m, "default").Recall(t.Context(), m, 1); err != nil || whole.Set[0] != "values.a.apiToken=hunter2" {
		t.Errorf("a rollback gets %q, error %v", whole.Set, err)
	}
}

func TestTwoAtOnceDoNotOverwriteEachOther(t *testing.T) {
	t.Parallel()
	m := recording()
	carried(t, m, ours("a"), options("install"))
	inv := inventory(t, m, "default")
	if got := inv.object().GetResourceVersion(); got == "" || got != m.objects["ConfigMap istio-system/meshctl-inventory-default"].GetResourceVersion() {
		t.Errorf("the record is written whatever became of it: resourceVersion %q", got)
	}
}

func TestADamagedInventoryIsSaid(t *testing.T) {
	t.Parallel()
	m := recording()
	carried(t, m, ours("a"), options("install"))
	m.objects["ConfigMap istio-system/meshctl-inventory-default"].Object["data"] = map[string]any{inventoryKey: "{"}
	_, err := NewPlan(t.Context(), m, ours("a"), options("install"))
	if err == nil || !strings.Contains(err.Error(), "reading the inventory ConfigMap istio-system/meshctl-inventory-default") {
		t.Errorf("error %v", err)
	}
}
