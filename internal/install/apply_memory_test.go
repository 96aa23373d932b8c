package install

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// memory is a cluster in memory. It keeps what is applied whole; what becomes
// of it is decided by settle, as controllers would.
type memory struct {
	mu       sync.Mutex
	objects  map[string]*unstructured.Unstructured
	version  int
	calls    []string
	watchers []watcher
	// fail returns an error for a call such as "apply Deployment a/b", or nil.
	fail func(call string) error
	// settle changes an object as controllers do right after it was applied.
	settle func(obj *unstructured.Unstructured)
}

type watcher struct {
	kind, namespace string
	see             func(*unstructured.Unstructured, bool)
}

func newMemory() *memory {
	return &memory{objects: map[string]*unstructured.Unstructured{}, settle: makeReady}
}

func (m *memory) called(call string) error {
	m.calls = append(m.calls, call)
	if m.fail != nil {
		return m.fail(call)
	}
	return nil
}

// did are the calls that start with a verb, without it.
func (m *memory) did(verb string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []string
	for _, c := range m.calls {
		if rest, ok := strings.CutPrefix(c, verb+" "); ok {
			all = append(all, rest)
		}
	}
	return all
}

func (m *memory) Get(_ context.Context, kind schema.GroupVersionKind, namespace, name string) (*unstructured.Unstructured, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	obj := object(kind.Kind, namespace, name)
	if err := m.called("get " + ident(obj)); err != nil {
		return nil, err
	}
	if live := m.objects[ident(obj)]; live != nil {
		return live.DeepCopy(), nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{Group: kind.Group, Resource: kind.Kind}, name)
}

func (m *memory) List(_ context.Context, kind schema.GroupVersionKind, namespace, selector string) ([]*unstructured.Unstructured, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.called("list " + kind.Kind); err != nil {
		return nil, err
	}
	var list []*unstructured.Unstructured
	for _, obj := range m.objects {
		if obj.GetKind() == kind.Kind && (namespace == "" || obj.GetNamespace() == namespace) && selects(selector, obj.GetLabels()) {
			list = append(list, obj.DeepCopy())
		}
	}
	return list, nil
}

func selects(selector string, labels map[string]string) bool {
	for _, term := range strings.FieldsFunc(selector, func(r rune) bool { return r == ',' }) {
		key, value, exact := strings.Cut(term, "=")
		if got, has := labels[key]; !has || exact && got != value {
			return false
		}
	}
	return true
}

func (m *memory) Follow(ctx context.Context, kind schema.GroupVersionKind, namespace string, see func(*unstructured.Unstructured, bool)) error {
	m.mu.Lock()
	err := m.called("follow " + kind.Kind)
	if err == nil {
		for _, obj := range m.objects {
			if obj.GetKind() == kind.Kind && obj.GetNamespace() == namespace {
				see(obj.DeepCopy(), false)
			}
		}
		m.watchers = append(m.watchers, watcher{kind.Kind, namespace, see})
	}
	m.mu.Unlock()
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (m *memory) Apply(_ context.Context, obj *unstructured.Unstructured, dryRun, force bool) (*unstructured.Unstructured, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	verb := "apply "
	if dryRun {
		verb = "try "
	}
	if err := m.called(verb + ident(obj)); err != nil && (!force || !isFieldConflict(err)) {
		return nil, err
	}
	made := obj.DeepCopy()
	if dryRun {
		made.SetResourceVersion("")
		if live := m.objects[ident(obj)]; live != nil {
			made.SetResourceVersion(live.GetResourceVersion()) // as the API server does
		}
		return made, nil
	}
	m.put(made)
	return made.DeepCopy(), nil
}

// applied are the objects that were applied, without the records of it.
func (m *memory) applied() []string {
	return slices.DeleteFunc(m.did("apply"), func(call string) bool { return strings.Contains(call, "/meshctl-") })
}

// put stores an object and tells those who follow its kind.
func (m *memory) put(obj *unstructured.Unstructured) {
	m.version++
	obj.SetResourceVersion(strconv.Itoa(m.version))
	obj.SetGeneration(1)
	if m.settle != nil {
		m.settle(obj)
	}
	m.objects[ident(obj)] = obj
	for _, w := range m.watchers {
		if w.kind == obj.GetKind() && w.namespace == obj.GetNamespace() {
			w.see(obj.DeepCopy(), false)
		}
	}
}

func (m *memory) Kinds(context.Context) ([]schema.GroupVersionKind, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var kinds []schema.GroupVersionKind
	for _, obj := range m.objects {
		if !slices.Contains(kinds, obj.GroupVersionKind()) {
			kinds = append(kinds, obj.GroupVersionKind())
		}
	}
	return kinds, nil
}

func (m *memory) Delete(_ context.Context, obj *unstructured.Unstructured, dryRun bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	verb := "delete "
	if dryRun {
		verb = "try "
	}
	if err := m.called(verb + ident(obj)); err != nil {
		return err
	}
	if m.objects[ident(obj)] == nil {
		return apierrors.NewNotFound(schema.GroupResource{Resource: obj.GetKind()}, obj.GetName())
	}
	if dryRun {
		return nil
	}
	delete(m.objects, ident(obj))
	return nil
}

func (m *memory) Own(_ context.Context, obj *unstructured.Unstructured) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.called("own " + ident(obj)); err != nil {
		return err
	}
	m.objects[ident(obj)].SetManagedFields(obj.GetManagedFields())
	return nil
}

// makeReady does at once what controllers and nodes do in time.
func makeReady(obj *unstructured.Unstructured) {
	switch obj.GetKind() {
	case "Deployment":
		obj.Object["status"] = map[string]any{"observedGeneration": int64(1), "replicas": int64(1), "updatedReplicas": int64(1),
			"readyReplicas": int64(1), "availableReplicas": int64(1), "conditions": []any{
				map[string]any{"type": "Available", "status": "True"},
				map[string]any{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
			}}
	case "DaemonSet":
		obj.Object["status"] = map[string]any{"observedGeneration": int64(1), "desiredNumberScheduled": int64(0)}
	case "CustomResourceDefinition":
		obj.Object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "Established", "status": "True"}}}
	}
}

// object is an object of a built-in kind with nothing in it.
func object(kind, namespace, name string) *unstructured.Unstructured {
	versions := map[string]string{
		"Deployment": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1",
		"CustomResourceDefinition":       "apiextensions.k8s.io/v1",
		"MutatingWebhookConfiguration":   "admissionregistration.k8s.io/v1",
		"ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
		"HorizontalPodAutoscaler":        "autoscaling/v2",
		"ClusterRole":                    "rbac.authorization.k8s.io/v1",
		"Telemetry":                      "telemetry.istio.io/v1",
	}
	obj := &unstructured.Unstructured{Object: map[string]any{}}
	obj.SetAPIVersion(orElse(versions[kind], "v1"))
	obj.SetKind(kind)
	obj.SetName(name)
	if namespace != "" {
		obj.SetNamespace(namespace)
	}
	return obj
}

// parse reads one object from YAML.
func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var obj unstructured.Unstructured
	if err := obj.UnmarshalJSON(asJSON); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return &obj
}

func noMatch(kind string) error {
	return &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "telemetry.istio.io", Kind: kind}}
}

// fieldConflict is the API server's refusal to take a field from its owner.
func fieldConflict(owner, field string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Code: http.StatusConflict, Reason: metav1.StatusReasonConflict,
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{
			Type: metav1.CauseTypeFieldManagerConflict, Field: field, Message: fmt.Sprintf("conflict with %q using v1", owner),
		}}},
	}}
}

func forbidden(verb, resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "x", fmt.Errorf("User \"bob\" cannot %s resource %q", verb, resource))
}

func componentOf(r *Report, name string) ComponentReport {
	for _, c := range r.Components {
		if c.Name == name {
			return c
		}
	}
	return ComponentReport{}
}
