package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubejson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/mesh"
)

// jsonPages lists a kind without a typed client. Of each object its JSON is
// kept, a fifth of the size of what it decodes to.
func (r *reader) jsonPages(kind mesh.Kind, resource schema.GroupVersionResource, client rest.Interface) lister {
	return func(ctx context.Context, namespace string, o metav1.ListOptions) ([]*mesh.Object, string, error) {
		root := []string{"/apis", resource.Group, resource.Version}
		if resource.Group == "" {
			root = []string{"/api", resource.Version}
		}
		request := client.Get().SetHeader("Accept", "application/json").AbsPath(root...)
		if namespace != "" && kind.Namespaced {
			request = request.Namespace(namespace)
		}
		request = request.Resource(resource.Resource)
		if o.Limit > 0 {
			request = request.Param("limit", strconv.FormatInt(o.Limit, 10))
		}
		if o.Continue != "" {
			request = request.Param("continue", o.Continue)
		}
		text, err := request.Do(ctx).Raw()
		if err != nil {
			return nil, "", inItsWords(text, err)
		}
		var page struct {
			Metadata metav1.ListMeta   `json:"metadata"`
			Items    []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return nil, "", fmt.Errorf("the answer is cut off or no JSON: %w", err)
		}
		objects := make([]*mesh.Object, 0, len(page.Items))
		for _, item := range page.Items {
			object, err := r.jsonObject(kind, resource, item)
			if err != nil {
				return nil, "", err
			}
			objects = append(objects, object)
		}
		return objects, page.Metadata.Continue, nil
	}
}

// inItsWords is the error with the API server's own words, which the client leaves
// out where it decodes nothing.
func inItsWords(answer []byte, err error) error {
	var status metav1.Status
	var known apierrors.APIStatus
	if !errors.As(err, &known) || json.Unmarshal(answer, &status) != nil || status.Kind != "Status" || status.Message == "" || status.Reason != known.Status().Reason {
		return err
	}
	return &apierrors.StatusError{ErrStatus: status}
}

// jsonObject is the snapshot's form of one item of a list.
func (r *reader) jsonObject(kind mesh.Kind, resource schema.GroupVersionResource, text []byte) (*mesh.Object, error) {
	raw, err := decodeItem(kind, resource, text)
	if err != nil {
		return nil, err
	}
	slimmed := r.options.Slim && slimRaw(kind, raw, len(r.options.With) > 0)
	if slimmed || bytes.Contains(text, []byte(`"managedFields"`)) {
		if text, err = json.Marshal(raw); err != nil {
			return nil, fmt.Errorf("writing down an item of the answer: %w", err)
		}
	}
	o := mesh.NewObject(kind, raw, mesh.Origin{Cluster: r.cluster})
	if r.options.Slim {
		o.Labels, o.Annotations = r.slim.same(o.Labels), r.slim.same(o.Annotations)
	}
	o.Reread(func() map[string]any {
		raw, _ := decodeItem(kind, resource, text)
		return raw
	})
	return o, nil
}

func decodeItem(kind mesh.Kind, resource schema.GroupVersionResource, text []byte) (map[string]any, error) {
	var raw map[string]any
	if err := kubejson.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("an item of the answer is no object: %w", err)
	}
	if raw == nil {
		raw = map[string]any{}
	}
	if meta, ok := raw["metadata"].(map[string]any); ok {
		delete(meta, "managedFields")
	}
	if _, ok := raw["kind"]; !ok { // the items of some lists do not say what they are
		raw["apiVersion"], raw["kind"] = resource.GroupVersion().String(), kind.Kind
	}
	return raw, nil
}
