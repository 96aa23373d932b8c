package kube

import (
	"context"
	"encoding/json"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Own replaces the record of who owns which field of an object by obj's, and
// changes nothing else of it. When the object has another resourceVersion than
// obj it is a conflict.
func (o *Objects) Own(ctx context.Context, obj *unstructured.Unstructured) error {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	r, err := o.resource(obj.GroupVersionKind(), obj.GetNamespace())
	if err != nil {
		return err
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": obj.GetManagedFields()},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": obj.GetResourceVersion()},
	})
	if err != nil {
		return err
	}
	_, err = r.Patch(ctx, obj.GetName(), types.JSONPatchType, patch, metav1.PatchOptions{FieldManager: o.manager})
	return err
}
