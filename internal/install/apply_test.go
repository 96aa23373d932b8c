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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/hint"
)

// mesh is a manifest with one object of each sort, in no helpful order.
func mesh() *Manifest {
	one := func(name, instance string, objects ...*unstructured.Unstructured) Component {
		return Component{Name: name, Instance: instance, Namespace: "istio-system", Objects: objects}
	}
	return &Manifest{Components: []Component{
		one("Base", "", object("ServiceAccount", "istio-system", "reader"), definition("telemetries", "telemetry.istio.io", "Telemetry")),
		one("IngressGateways", "istio-ingressgateway", object("Deployment", "istio-system", "gateway"), object("ServiceAccount", "istio-system", "gateway")),
		one("Pilot", "istiod", object("MutatingWebhookConfiguration", "", "injector"), object("Deployment", "istio-system", "istiod"),
			object("ConfigMap", "istio-system", "istio"), object("Telemetry", "istio-system", "default")),
		one("Cni", "istio-cni-node", object("DaemonSet", "kube-system", "cni")),
		one("Ztunnel", "ztunnel", object("DaemonSet", "istio-system", "ztunnel")),
		one("addons.kiali", "kiali", object("Deployment", "istio-system", "kiali")),
	}}
}

// definition is a CRD.
func definition(name, group, kind string) *unstructured.Unstructured {
	crd := object("CustomResourceDefinition", "", name)
	crd.Object["spec"] = map[string]any{"group": group, "names": map[string]any{"kind": kind}}
	return crd
}

func planned(t *testing.T, m *memory, o PlanOptions) *Plan {
	t.Helper()
	p, err := NewPlan(t.Context(), m, mesh(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestApplyGoesByWavesAndTiers(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.objects["Namespace kube-system"] = object("Namespace", "", "kube-system")
	p := planned(t, m, PlanOptions{Namespace: "istio-system", Network: "net-1"})
	r, err := p.Apply(t.Context(), m, PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	waves := [][]string{
		{"Namespace istio-system"}, {"CustomResourceDefinition telemetries"},
		{"ServiceAccount istio-system/reader"},
		{"ConfigMap istio-system/istio", "Telemetry istio-system/default"},
		{"DaemonSet kube-system/cni", "Deployment istio-system/istiod"},
		{"MutatingWebhookConfiguration injector"},
		{"ServiceAccount istio-system/gateway"},
		{"DaemonSet istio-system/ztunnel", "Deployment istio-system/gateway", "Deployment istio-system/kiali"},
	}
	did := m.applied()
	for _, wave := range waves { // within one the order is free
		n := min(len(wave), len(did))
		got := slices.Sorted(slices.Values(did[:n]))
		if diff := cmp.Diff(wave, got); diff != "" {
			t.Errorf("wave differs (-want +got):\n%s", diff)
		}
		did = did[n:]
	}
	for _, c := range r.Components {
		if c.State != StateReady {
			t.Errorf("%s is %s", c.Name, c.State)
		}
	}
	if got := m.objects["Namespace istio-system"].GetLabels()[networkLabel]; got != "net-1" {
		t.Errorf("the namespace's network is %q", got)
	}
	if notes := componentOf(r, "cni").Notes; len(notes) != 1 || !strings.Contains(notes[0], "no node matches") {
		t.Errorf("a DaemonSet without nodes is noted as %q", notes)
	}
}

func TestPlanFindsEveryConflictAndChangesNothing(t *testing.T) {
	t.Parallel()
	m := newMemory()
	scaled := func(kind, name string, replicas int64) *unstructured.Unstructured {
		obj := object(kind, "istio-system", name)
		obj.Object["spec"] = map[string]any{"replicas": replicas}
		return obj
	}
	pilot := Component{Name: "Pilot"}
	for _, name := range []string{"istiod", "other"} {
		m.objects["Deployment istio-system/"+name] = scaled("Deployment", name, 5)
		pilot.Objects = append(pilot.Objects, scaled("Deployment", name, 1))
	}
	m.fail = func(call string) error {
		if strings.HasPrefix(call, "try Deployment") {
			return fieldConflict("kubectl-scale", ".spec.replicas")
		}
		return nil
	}
	p, err := NewPlan(t.Context(), m, &Manifest{Components: []Component{pilot}}, PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Apply(t.Context(), m, PlanOptions{})
	want := `planning the install: 2 problems:
  applying Deployment istio-system/istiod, Deployment istio-system/other: "kubectl-scale" owns .spec.replicas`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(hint.Of(err), "--force-conflicts") || hint.ClassOf(err) != hint.Failed {
		t.Errorf("hint %q, class %v", hint.Of(err), hint.ClassOf(err))
	}
	if did := m.did("apply"); len(did) > 0 {
		t.Errorf("applied %q", did)
	}
	planned := p.Planned().Components[0].Objects
	if got := planned[len(planned)-1].Conflicts; !slices.Equal(got, []Conflict{{".spec.replicas", "kubectl-scale"}}) {
		t.Errorf("the plan says %v", got)
	}
}

func TestAConflictThatChangesNothingIsNone(t *testing.T) {
	t.Parallel()
	m := newMemory()
	live := object("ConfigMap", "istio-system", "istio")
	live.Object["data"] = map[string]any{"mesh": "x"}
	m.objects[ident(live)] = live
	m.fail = func(call string) error {
		if call == "try ConfigMap istio-system/istio" || call == "apply ConfigMap istio-system/istio" {
			return fieldConflict("istio-operator", ".data.mesh")
		}
		return nil
	}
	p, err := NewPlan(t.Context(), m, &Manifest{Components: []Component{{Name: "Pilot", Objects: []*unstructured.Unstructured{live.DeepCopy()}}}}, PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Apply(t.Context(), m, PlanOptions{}); err != nil || p.Count("", Refused) > 0 {
		t.Errorf("%v, with %d conflicts", err, p.Count("", Refused))
	}
}

func TestForbiddenIsUnanswerableAndNamesTheCommand(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.fail = func(call string) error {
		if strings.HasPrefix(call, "try ServiceAccount") {
			return forbidden("patch", "serviceaccounts")
		}
		return nil
	}
	_, err := NewPlan(t.Context(), m, mesh(), PlanOptions{})
	if hint.ClassOf(err) != hint.Unanswerable || !strings.Contains(hint.Of(err), "kubectl auth can-i patch serviceaccounts") {
		t.Errorf("class %v, hint %q, error %v", hint.ClassOf(err), hint.Of(err), err)
	}
	if got := strings.Count(err.Error(), "cannot patch"); got != 1 {
		t.Errorf("the reason is given %d times:\n%s", got, err)
	}
}

func TestApplyTriesAgainWhatPasses(t *testing.T) {
	t.Parallel()
	m := newMemory()
	tries := map[string]int{}
	m.fail = func(call string) error {
		if call == "get Telemetry istio-system/default" {
			return noMatch("Telemetry")
		}
		if !strings.HasPrefix(call, "apply ") {
			return nil
		}
		if tries[call]++; tries[call] > 1 {
			return nil
		}
		switch call {
		case "apply Telemetry istio-system/default":
			return noMatch("Telemetry")
		case "apply ConfigMap istio-system/istio":
			return apierrors.NewTooManyRequests("slow down", 0)
		case "apply Deployment istio-system/istiod":
			return apierrors.NewInternalError(errors.New("etcdserver: request timed out"))
		}
		return nil
	}
	r, err := planned(t, m, PlanOptions{}).Apply(t.Context(), m, PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c := componentOf(r, "istiod"); c.State != StateReady || c.Created != 4 {
		t.Errorf("istiod: %+v", c)
	}
}

func TestPlanRefusesAKindThatNothingDefines(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.fail = func(call string) error {
		if call == "get Telemetry istio-system/default" {
			return noMatch("Telemetry")
		}
		return nil
	}
	manifest := mesh()
	manifest.Components[0].Objects = manifest.Components[0].Objects[:1] // without the CRD
	_, err := NewPlan(t.Context(), m, manifest, PlanOptions{})
	if err == nil || !strings.Contains(err.Error(), "Telemetry istio-system/default: the cluster does not know this kind") {
		t.Errorf("error %v", err)
	}
	if done := m.did("apply"); len(done) > 0 {
		t.Errorf("applied %v", done)
	}
}

// TestIstiodTakesAFieldMeanwhile is the race of a second run with istiod, which
// sets the failure policy of its webhook when it is up.
func TestIstiodTakesAFieldMeanwhile(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"try", "apply"} {
		m := newMemory()
		live := object("MutatingWebhookConfiguration", "", "injector")
		live.SetLabels(map[string]string{"of": "an earlier version"})
		m.objects["MutatingWebhookConfiguration injector"] = live
		taken := 0
		m.fail = func(call string) error {
			if call == when+" MutatingWebhookConfiguration injector" && taken == 0 {
				taken++
				return fieldConflict("pilot-discovery", ".webhooks[name=\"x\"].failurePolicy")
			}
			return nil
		}
		if _, err := planned(t, m, PlanOptions{}).Apply(t.Context(), m, PlanOptions{}); err != nil {
			t.Errorf("at %s: %v", when, err)
		}
		if taken != 1 {
			t.Errorf("at %s: the conflict did not come up", when)
		}
	}
}

func TestApplyStopsAtARefusalAndSaysWhatIsInPlace(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.fail = func(call string) error {
		if call == "apply Deployment istio-system/istiod" {
			return apierrors.NewBadRequest("admission webhook \"policy\" denied the request: no")
		}
		return nil
	}
	r, err := planned(t, m, PlanOptions{}).Apply(t.Context(), m, PlanOptions{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`installing: applying Deployment istio-system/istiod: the API server refuses it: admission webhook "policy" denied the request: no`,
		"in place: 7 of 13 objects", "missing: Deployment istio-system/istiod, MutatingWebhookConfiguration injector",
		"not started: istio-ingressgateway, ztunnel, kiali",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%s", want, err)
		}
	}
	if !strings.HasSuffix(hint.Of(err), "running the same command again continues") {
		t.Errorf("hint %q", hint.Of(err))
	}
	states := map[string]State{}
	for _, c := range r.Components {
		states[c.Name] = c.State
	}
	want := map[string]State{"base": StateReady, "istiod": StateFailed, "cni": StateNotReady, "istio-ingressgateway": StateNotStarted, "ztunnel": StateNotStarted, "kiali": StateNotStarted}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
}

func TestDeadlineNamesWhatIsNotReady(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.settle = func(obj *unstructured.Unstructured) {
		if obj.GetName() != "istiod" {
			makeReady(obj)
		}
	}
	p := planned(t, m, PlanOptions{})
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	r, err := p.Apply(ctx, m, PlanOptions{})
	if !errors.Is(err, ErrNotReady) || hint.ClassOf(err) != hint.Failed {
		t.Fatalf("error %v", err)
	}
	reasons := componentOf(r, "istiod").Reasons
	if len(reasons) != 1 || reasons[0].Message == "" || reasons[0].Next == "" {
		t.Errorf("reasons %+v", reasons)
	}
}

func TestInterruptIsTold(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.settle = nil
	p := planned(t, m, PlanOptions{})
	ctx, stop := context.WithCancel(t.Context())
	_, err := p.Apply(ctx, m, PlanOptions{Progress: func(e Event) {
		if e.Phase == Waiting {
			stop()
		}
	}})
	if !errors.Is(err, errInterrupted) || !strings.Contains(err.Error(), "in place: 3 of 13 objects") {
		t.Errorf("error %v", err)
	}
}

func TestWaitGoesOnWithoutEvents(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.settle = func(obj *unstructured.Unstructured) {
		if obj.GetKind() != "Deployment" {
			makeReady(obj)
		}
	}
	m.fail = func(call string) error {
		if call == "follow Event" {
			return forbidden("watch", "events")
		}
		return nil
	}
	p := planned(t, m, PlanOptions{})
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	_, err := p.Apply(ctx, m, PlanOptions{})
	if err == nil || !strings.Contains(err.Error(), "Events could not be read, so the reasons may be incomplete") {
		t.Errorf("error %v", err)
	}
}

func TestUpToDateObjectsAreNotSent(t *testing.T) {
	t.Parallel()
	m := newMemory()
	live := parse(t, `
apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
  managedFields:
  - {manager: meshctl, operation: Apply, apiVersion: v1, fieldsType: FieldsV1, fieldsV1: {"f:data": {"f:mesh": {}}}}
data: {mesh: "x"}
`)
	m.objects[ident(live)] = live
	m.objects["Namespace istio-system"] = object("Namespace", "", "istio-system")
	want := object("ConfigMap", "istio-system", "istio")
	want.Object["data"] = map[string]any{"mesh": "x"}
	p, err := NewPlan(t.Context(), m, &Manifest{Components: []Component{{Name: "Pilot", Objects: []*unstructured.Unstructured{want}}}}, PlanOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := p.Apply(t.Context(), m, PlanOptions{})
	if err != nil || !p.Empty() || componentOf(r, "istiod").Unchanged != 1 {
		t.Errorf("error %v, report %+v", err, r.Components)
	}
	if writes := fmt.Sprint(m.applied(), m.did("try")); writes != "[] []" {
		t.Errorf("sent %s", writes)
	}
}

func TestARefusalIsNotAMissingPermission(t *testing.T) {
	t.Parallel()
	m := newMemory()
	m.fail = func(call string) error {
		if call == "try Deployment istio-system/istiod" {
			return apierrors.NewForbidden(schema.GroupResource{Resource: "deployments"}, "istiod", errors.New(`admission webhook "policy" denied the request: not on a Friday`))
		}
		return nil
	}
	_, err := NewPlan(t.Context(), m, mesh(), PlanOptions{})
	if hint.ClassOf(err) != hint.Failed || strings.Contains(hint.Of(err), "can-i") || !strings.Contains(err.Error(), "not on a Friday") {
		t.Errorf("class %v, hint %q, error %v", hint.ClassOf(err), hint.Of(err), err)
	}
}

func TestOwnershipAloneIsAChange(t *testing.T) {
	t.Parallel()
	const config = `{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: {mesh: x}}`
	live := owned(t, config, "istio-operator", `{"f:data":{"f:mesh":{}}}`)
	tried := owned(t, config, FieldManager, `{"f:data":{"f:mesh":{}}}`)
	later := owned(t, config, "istio-operator", `{"f:data":{"f:mesh":{}}}`)
	later.SetResourceVersion("2")
	if unchanged(live, tried) || !unchanged(live, later) {
		t.Error("who owns what does not count, or something else does")
	}
	more := owned(t, config, "istio-operator", `{"f:data":{"f:mesh":{},"f:other":{}}}`)
	if unchanged(live, more) {
		t.Error("one field more of the same owner does not count")
	}
}
