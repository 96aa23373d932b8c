package revision

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// memory is a cluster in memory. An apply replaces the fields that it names.
type memory struct {
	objects []*unstructured.Unstructured
	calls   []string
	// after is called after every write; may be nil.
	after func()
	// fail returns an error for a call such as "apply Service a/b", or nil.
	fail func(call string) error
}

func (m *memory) called(call string) error {
	m.calls = append(m.calls, call)
	if m.fail != nil {
		return m.fail(call)
	}
	return nil
}

func (m *memory) List(_ context.Context, kind schema.GroupVersionKind, namespace, selector string) ([]*unstructured.Unstructured, error) {
	parsed, err := labels.Parse(selector)
	if err != nil {
		return nil, err
	}
	if m.fail != nil {
		if err := m.fail("list " + kind.Kind); err != nil {
			return nil, err
		}
	}
	var found []*unstructured.Unstructured
	for _, o := range m.objects {
		if o.GetKind() == kind.Kind && (namespace == "" || o.GetNamespace() == namespace) && parsed.Matches(labels.Set(o.GetLabels())) {
			found = append(found, o.DeepCopy())
		}
	}
	return found, nil
}

func (m *memory) index(obj *unstructured.Unstructured) int {
	return slices.IndexFunc(m.objects, func(o *unstructured.Unstructured) bool { return ident(o) == ident(obj) })
}

func (m *memory) Apply(_ context.Context, obj *unstructured.Unstructured, dryRun, _ bool) (*unstructured.Unstructured, error) {
	verb := "apply "
	if dryRun {
		verb = "try "
	}
	if err := m.called(verb + ident(obj)); err != nil {
		return nil, err
	}
	result := obj.DeepCopy()
	at := m.index(obj)
	if at >= 0 {
		result = m.objects[at].DeepCopy()
		merge(result.Object, obj.DeepCopy().Object)
	}
	if dryRun {
		return result, nil
	}
	if at < 0 {
		m.objects = append(m.objects, result)
	} else {
		m.objects[at] = result
	}
	if m.after != nil {
		m.after()
	}
	return result, nil
}

// merge lays one object over another, webhooks by their names. Their match
// conditions belong to whoever applied last, as it is with one field manager.
func merge(into, from map[string]any) {
	for key, value := range from {
		old, isMap := into[key].(map[string]any)
		fields, ok := value.(map[string]any)
		hooks, isList := value.([]any)
		switch {
		case isMap && ok && key != "namespaceSelector" && key != "objectSelector":
			merge(old, fields)
		case key == "webhooks" && isList:
			for _, hook := range hooks {
				mergeHook(into, hook.(map[string]any))
			}
		default:
			into[key] = value
		}
	}
}

func mergeHook(config, hook map[string]any) {
	list, _ := config["webhooks"].([]any)
	for _, old := range list {
		if old := old.(map[string]any); old["name"] == hook["name"] {
			delete(old, "matchConditions")
			merge(old, hook)
			return
		}
	}
	config["webhooks"] = append(list, hook)
}

func (m *memory) Delete(_ context.Context, obj *unstructured.Unstructured, dryRun bool) error {
	if err := m.called("delete " + ident(obj)); err != nil || dryRun {
		return err
	}
	at := m.index(obj)
	if at < 0 {
		return apierrors.NewNotFound(schema.GroupResource{Resource: obj.GetKind()}, obj.GetName())
	}
	m.objects = slices.Delete(m.objects, at, at+1)
	if m.after != nil {
		m.after()
	}
	return nil
}

// cluster is a memory with objects from YAML documents.
func cluster(t *testing.T, documents ...string) *memory {
	t.Helper()
	m := &memory{}
	for _, text := range documents {
		m.objects = append(m.objects, object(t, text))
	}
	return m
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var o unstructured.Unstructured
	if err := o.UnmarshalJSON(data); err != nil {
		t.Fatal(err)
	}
	return &o
}

// injectorOf is the injector of a revision, or with a tag that of the tag.
func injectorOf(name, revision, tag, selector string) string {
	service := "istiod-" + revision
	if revision == Default {
		service = "istiod"
	}
	end := "}"
	if strings.HasPrefix(selector, "istio.io/rev") { // the older label goes first
		selector += "}, matchExpressions: [{key: istio-injection, operator: DoesNotExist}"
		end = "]"
	}
	labels := "istio.io/rev: " + revision
	if tag != "" {
		labels += ", istio.io/tag: " + tag
	}
	return fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: %s, labels: {%s}}
webhooks:
- name: namespace.sidecar-injector.istio.io
  clientConfig: {caBundle: Y2E=, service: {name: %s, namespace: istio-system}}
  namespaceSelector: {matchLabels: {%s%s}
`, name, labels, service, selector, end)
}

func namespaceWith(name, labels string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, labels: {%s}}", name, labels)
}

func podWith(namespace, name, labels, container string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Pod\nmetadata: {name: %s, namespace: %s, labels: {service.istio.io/canonical-name: x%s}}\nspec: {containers: [{name: web}, {name: %s}]}",
		name, namespace, labels, container)
}

func tagService(tag, revision string) string {
	return fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: istiod-revision-tag-%s, namespace: istio-system, labels: {app: istiod, istio.io/rev: %s, istio.io/tag: %s}}",
		tag, revision, tag)
}

func endpoints(revision string, ready bool) string {
	service := "istiod-" + revision
	if revision == Default {
		service = "istiod"
	}
	return fmt.Sprintf("apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %s-x, namespace: istio-system, labels: {kubernetes.io/service-name: %s}}\nendpoints: [{conditions: {ready: %v}}]",
		service, service, ready)
}
