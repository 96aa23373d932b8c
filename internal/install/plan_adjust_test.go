package install

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const webhook = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: validator}
webhooks:
- {name: a, failurePolicy: Ignore, clientConfig: {caBundle: "", service: {name: istiod}}}
`

func owned(t *testing.T, text, manager, fields string) *unstructured.Unstructured {
	t.Helper()
	obj := parse(t, text)
	obj.SetManagedFields([]metav1.ManagedFieldsEntry{{
		Manager: manager, Operation: metav1.ManagedFieldsOperationApply, APIVersion: obj.GetAPIVersion(), FieldsV1: metav1.NewFieldsV1(fields),
	}})
	return obj
}

func TestWebhookFieldsAreLeftToIstiod(t *testing.T) {
	t.Parallel()
	live := `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: validator}
webhooks:
- {name: a, failurePolicy: Fail, clientConfig: {caBundle: c2VjcmV0, service: {name: istiod}}}
`
	for name, c := range map[string]struct {
		live *unstructured.Unstructured
		want map[string]any
	}{
		"new": {nil, map[string]any{"name": "a", "failurePolicy": "Ignore", "clientConfig": map[string]any{"caBundle": "", "service": map[string]any{"name": "istiod"}}}},
		"written by istiod": {owned(t, live, FieldManager, `{"f:webhooks":{"k:{\"name\":\"a\"}":{".":{},"f:name":{}}}}`),
			map[string]any{"name": "a", "clientConfig": map[string]any{"service": map[string]any{"name": "istiod"}}}},
		"still ours": {owned(t, webhook, FieldManager, `{"f:webhooks":{"k:{\"name\":\"a\"}":{".":{},"f:name":{},"f:failurePolicy":{},"f:clientConfig":{"f:caBundle":{}}}}}`),
			map[string]any{"name": "a", "failurePolicy": "Ignore", "clientConfig": map[string]any{"caBundle": "", "service": map[string]any{"name": "istiod"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := parse(t, webhook)
			hooks, _, err := unstructured.NestedSlice(adjust(want, c.live, nil).Object, "webhooks")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]any{c.want}, hooks); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(parse(t, webhook), want); diff != "" {
				t.Errorf("what was rendered is changed: %s", diff)
			}
		})
	}
}

func TestReplicasAreLeftToTheAutoscaler(t *testing.T) {
	t.Parallel()
	const gateway = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: gateway, namespace: a}, spec: {replicas: 1}}`
	const scaledUp = `{apiVersion: apps/v1, kind: Deployment, metadata: {name: gateway, namespace: a}, spec: {replicas: 5}}`
	scaler := parse(t, `{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: g, namespace: a}, spec: {scaleTargetRef: {kind: Deployment, name: gateway}}}`)
	for name, c := range map[string]struct {
		live   *unstructured.Unstructured
		scaler *unstructured.Unstructured
		want   any
	}{
		"no autoscaler":             {parse(t, scaledUp), object("Deployment", "a", "x"), int64(1)},
		"new":                       {nil, scaler, nil},
		"the autoscaler's":          {owned(t, scaledUp, FieldManager, `{"f:spec":{"f:selector":{}}}`), scaler, nil},
		"noted as ours: live value": {owned(t, scaledUp, FieldManager, `{"f:spec":{"f:replicas":{}}}`), scaler, int64(5)},
		"autoscaler in another namespace": {nil, func() *unstructured.Unstructured {
			other := scaler.DeepCopy()
			other.SetNamespace("b")
			return other
		}(), int64(1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sent := adjust(parse(t, gateway), c.live, scaledBy([]*unstructured.Unstructured{c.scaler}))
			got, _, _ := unstructured.NestedFieldNoCopy(sent.Object, "spec", "replicas")
			if got != c.want {
				t.Errorf("replicas sent: %v, want %v", got, c.want)
			}
		})
	}
}
