package install

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// upToDate says whether applying want would change nothing: every field of it
// is live with that value and noted as ours, and nothing else is noted as ours.
// It errs towards false; then the API server decides.
func upToDate(want, live *unstructured.Unstructured) bool {
	ours := ownedFields(live)
	if ours == nil {
		return false
	}
	w := want.Object
	for k := range ours {
		if name, ok := strings.CutPrefix(k, "f:"); ok && w[name] == nil {
			return false
		}
	}
	for k, v := range w {
		switch k {
		case "apiVersion", "kind", "status":
			continue
		case "metadata":
			if v = withoutIdentity(v); isZero(v) && ours["f:metadata"] == nil {
				continue
			}
		}
		if !matchField(k, v, live.Object, ours) {
			return false
		}
	}
	return true
}

// withoutIdentity drops the metadata that nobody owns.
func withoutIdentity(metadata any) any {
	m, ok := metadata.(map[string]any)
	if !ok {
		return metadata
	}
	rest := map[string]any{}
	for k, v := range m {
		if !slices.Contains([]string{"name", "namespace", "creationTimestamp"}, k) {
			rest[k] = v
		}
	}
	return rest
}

// ownedFields is what the API server noted as applied by us, in its own
// notation (f: field, k: list item by its keys, v: item of a set), or nil.
func ownedFields(live *unstructured.Unstructured) map[string]any {
	for _, m := range live.GetManagedFields() {
		if m.Manager != FieldManager || m.Operation != metav1.ManagedFieldsOperationApply || m.Subresource != "" || m.FieldsV1 == nil {
			continue
		}
		var fields map[string]any
		if m.APIVersion == live.GetAPIVersion() && json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) == nil {
			return fields
		}
	}
	return nil
}

func matchField(name string, want any, live, ours map[string]any) bool {
	l, isLive := live[name]
	o, isOurs := ours["f:"+name].(map[string]any)
	if isZero(want) && (!isLive || !isOurs) {
		return !isLive || isZero(l)
	}
	return isLive && isOurs && match(name, want, l, o)
}

func match(name string, want, live any, ours map[string]any) bool {
	switch w := want.(type) {
	case map[string]any:
		if len(ours) == 0 {
			return same(want, live)
		}
		l, ok := live.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range w {
			if slices.Contains([]string{"limits", "requests"}, name) && sameQuantity(v, l[k]) {
				continue
			}
			if !matchField(k, v, l, ours) {
				return false
			}
		}
		for k := range ours {
			if field, ok := strings.CutPrefix(k, "f:"); ok {
				if _, ok := w[field]; !ok {
					return false
				}
			}
		}
		return true
	case []any:
		if len(ours) == 0 {
			return same(want, live)
		}
		l, ok := live.([]any)
		return ok && matchItems(name, w, l, ours)
	}
	return same(want, live)
}

// matchItems matches the items of a list that the API server merges by key or as a set.
func matchItems(name string, want, live []any, ours map[string]any) bool {
	items := 0
	for k, o := range ours {
		var w, l any
		switch {
		case strings.HasPrefix(k, "k:"):
			var keys map[string]any
			if json.Unmarshal([]byte(k[2:]), &keys) != nil {
				return false
			}
			w, l = itemWith(want, keys), itemWith(live, keys)
		case strings.HasPrefix(k, "v:"):
			var value any
			if json.Unmarshal([]byte(k[2:]), &value) != nil {
				return false
			}
			w, l = itemLike(want, value), itemLike(live, value)
		default:
			continue
		}
		items++
		fields, _ := o.(map[string]any)
		if w == nil || l == nil || !match(name, w, l, fields) {
			return false
		}
	}
	return items == len(want)
}

// itemWith is the item with these keys. A key that an item leaves out is taken
// for defaulted, as a port's protocol is.
func itemWith(items []any, keys map[string]any) any {
	var loose any
	for _, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			continue
		}
		exact, fits := true, true
		for k, v := range keys {
			got, has := m[k]
			exact = exact && has
			fits = fits && (!has || same(got, v))
		}
		if fits && exact {
			return item
		}
		if fits {
			loose = item
		}
	}
	return loose
}

func itemLike(items []any, value any) any {
	for _, item := range items {
		if same(item, value) {
			return item
		}
	}
	return nil
}

// same compares values whose numbers may be of different Go types.
func same(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range x {
			if bothZero := isZero(v) && isZero(y[k]); !bothZero && !same(v, y[k]) {
				return false
			}
		}
		for k, v := range y {
			if _, ok := x[k]; !ok && !isZero(v) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, same)
	case string, bool, nil:
		return reflect.DeepEqual(a, b)
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

func sameQuantity(a, b any) bool {
	x, errX := resource.ParseQuantity(fmt.Sprint(a))
	y, errY := resource.ParseQuantity(fmt.Sprint(b))
	return errX == nil && errY == nil && x.Cmp(y) == 0
}

// isZero says whether a value is one that the API server may drop when it is written.
func isZero(v any) bool {
	switch x := v.(type) {
	case nil:
		return true
	case map[string]any:
		return len(x) == 0
	case []any:
		return len(x) == 0
	case string:
		return x == ""
	case bool:
		return !x
	}
	return false
}
