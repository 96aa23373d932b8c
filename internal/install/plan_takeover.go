package install

import (
	"bytes"
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// adopted is an object whose fields of the managers are noted as ours, as if we
// had applied them: what we then leave out of an apply goes.
func adopted(live *unstructured.Unstructured, managers []string) *unstructured.Unstructured {
	ours := metav1.ManagedFieldsEntry{
		Manager: FieldManager, Operation: metav1.ManagedFieldsOperationApply,
		APIVersion: live.GetAPIVersion(), FieldsType: "FieldsV1",
	}
	set := fieldpath.NewSet()
	var rest []metav1.ManagedFieldsEntry
	for _, m := range live.GetManagedFields() {
		theirs := slices.Contains(managers, m.Manager)
		if m.Subresource != "" || !theirs && (m.Manager != FieldManager || m.Operation != ours.Operation) {
			rest = append(rest, m)
			continue
		}
		set, ours.Time = set.Union(fieldSet(m)), m.Time
	}
	text, err := set.ToJSON()
	if err != nil {
		return live // it was read from JSON: this can't be
	}
	ours.FieldsV1 = metav1.NewFieldsV1(string(text))
	obj := live.DeepCopy()
	obj.SetManagedFields(append(rest, ours))
	return obj
}

// adopt makes the live object's fields ours. Where somebody changes the object
// meanwhile it is a conflict, which is tried again.
func (s *Step) adopt(ctx context.Context, c Cluster) error {
	live, err := c.Get(ctx, s.Object.GroupVersionKind(), s.Object.GetNamespace(), s.Object.GetName())
	if err != nil {
		return err
	}
	return c.Own(ctx, adopted(live, s.managers))
}

// takenOver is the object as it will be: what the API server made of the step,
// without the fields that only its former managers own and that we do not want.
// A dry run can't tell that: it happens before those fields are ours to drop.
func (s *Step) takenOver() *unstructured.Unstructured {
	theirs, rest := fieldpath.NewSet(), fieldpath.NewSet()
	for _, m := range s.tried.GetManagedFields() {
		if m.Subresource == "" && slices.Contains(s.managers, m.Manager) {
			theirs = theirs.Union(fieldSet(m))
		} else {
			rest = rest.Union(fieldSet(m))
		}
	}
	obj := s.tried.DeepCopy()
	theirs.Difference(rest).Iterate(func(p fieldpath.Path) {
		if !owns(rest, p) {
			remove(obj.Object, p)
		}
	})
	return obj
}

func fieldSet(m metav1.ManagedFieldsEntry) *fieldpath.Set {
	set := fieldpath.NewSet()
	if m.FieldsV1 != nil {
		_ = set.FromJSON(bytes.NewReader(m.FieldsV1.GetRawBytes())) // what can't be read owns nothing
	}
	return set
}

// owns says whether a set has anything below a path.
func owns(set *fieldpath.Set, path fieldpath.Path) bool {
	for _, e := range path {
		set = set.WithPrefix(e)
	}
	return !set.Empty()
}

// remove deletes what stands at a path, and the maps and lists that it leaves empty.
func remove(v any, path fieldpath.Path) {
	m, ok := v.(map[string]any)
	if !ok || path[0].FieldName == nil {
		return
	}
	name := *path[0].FieldName
	if len(path) == 1 {
		delete(m, name)
		return
	}
	if list, ok := m[name].([]any); ok {
		m[name] = removeItem(list, path[1:])
	} else {
		remove(m[name], path[1:])
	}
	if rest, ok := m[name].(map[string]any); ok && len(rest) == 0 {
		delete(m, name)
	}
}

// removeItem is a list without the item, or the part of it, that a path names.
func removeItem(list []any, path fieldpath.Path) []any {
	for i, item := range list {
		switch e := path[0]; {
		case e.Value != nil && value.Equals(value.NewValueInterface(item), *e.Value):
			return slices.Delete(list, i, i+1)
		case e.Key != nil && hasKeys(value.NewValueInterface(item), *e.Key):
			if len(path) == 1 {
				return slices.Delete(list, i, i+1)
			}
			remove(item, path[1:])
			return list
		}
	}
	return list
}

func hasKeys(item value.Value, key value.FieldList) bool {
	return item.IsMap() && !slices.ContainsFunc(key, func(f value.Field) bool {
		got, ok := item.AsMap().Get(f.Name)
		return !ok || !value.Equals(got, f.Value)
	})
}
