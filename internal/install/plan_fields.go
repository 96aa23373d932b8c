package install

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// FieldChange is one field that differs between two states of an object.
type FieldChange struct {
	// Path is written as people do: spec.template.spec.containers[discovery].image.
	Path string `json:"path"`
	// From and To are the values; one that is not there is left out. Those of a
	// Secret are masked.
	From any `json:"from,omitempty"`
	To   any `json:"to,omitempty"`
}

// masked stands for a secret value, maskedChanged for one that differs from the other side's.
const (
	masked        = "***"
	maskedChanged = "*** (changed)"
)

// presentable is an object as it is shown and compared: without what the API
// server and controllers keep in it, without the CA bundle that istiod writes.
func presentable(obj *unstructured.Unstructured) map[string]any {
	if obj == nil {
		return nil
	}
	o := obj.DeepCopy()
	for _, field := range []string{"managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink"} {
		unstructured.RemoveNestedField(o.Object, "metadata", field)
	}
	for _, note := range []string{revisionAnnotation, "kubectl.kubernetes.io/last-applied-configuration"} {
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations", note)
	}
	delete(o.Object, "status")
	if isWebhook(o) {
		hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
		for _, h := range hooks {
			if hook, ok := h.(map[string]any); ok {
				unstructured.RemoveNestedField(hook, "clientConfig", "caBundle")
			}
		}
		if len(hooks) > 0 {
			o.Object["webhooks"] = hooks
		}
	}
	return o.Object
}

// dropBookkeeping takes the labels by which installers know their objects from
// two states of one: who owns it is said otherwise.
func dropBookkeeping(from, to map[string]any) {
	if from == nil || to == nil {
		return
	}
	for _, o := range []map[string]any{from, to} {
		labels, _, _ := unstructured.NestedMap(o, "metadata", "labels")
		known := []string{LabelComponent, LabelManagedBy, LabelIstioComponent, peerManaged, peerVersion, peerResource, peerNamespace}
		if textAt(o, "kind") == "CustomResourceDefinition" {
			known = append(known, LabelRevision) // istioctl's, on what all revisions share
		}
		for _, label := range known {
			unstructured.RemoveNestedField(o, "metadata", "labels", label)
		}
		if left, _, _ := unstructured.NestedMap(o, "metadata", "labels"); len(labels) > 0 && len(left) == 0 {
			unstructured.RemoveNestedField(o, "metadata", "labels")
		}
	}
}

// maskSecrets hides the values of two states of a Secret, either may be nil, so
// that only where they differ can be told.
func maskSecrets(from, to map[string]any) {
	if kind := orElse(textAt(from, "kind"), textAt(to, "kind")); kind != "Secret" {
		return
	}
	for _, field := range []string{"data", "stringData"} {
		a, _ := from[field].(map[string]any)
		b, _ := to[field].(map[string]any)
		for key, v := range a {
			w, both := b[key]
			a[key] = masked
			if both && same(v, w) {
				b[key] = masked
			} else if both {
				b[key] = maskedChanged
			}
		}
		for key := range b {
			if _, both := a[key]; !both {
				b[key] = masked
			}
		}
	}
}

// fieldChanges are the differences between two states of an object, in the order of their paths.
func fieldChanges(from, to *unstructured.Unstructured) []FieldChange {
	a, b := presentable(from), presentable(to)
	dropBookkeeping(a, b)
	maskSecrets(a, b)
	var changes []FieldChange
	compareMaps("", a, b, &changes)
	return changes
}

func compareMaps(path string, a, b map[string]any, changes *[]FieldChange) {
	keys := map[string]bool{}
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		compareValues(under(path, k), a[k], b[k], changes)
	}
}

func compareValues(path string, a, b any, changes *[]FieldChange) {
	if reflect.DeepEqual(a, b) || isZero(a) && isZero(b) {
		return
	}
	if x, ok := a.(map[string]any); ok {
		if y, ok := b.(map[string]any); ok {
			compareMaps(path, x, y, changes)
			return
		}
	}
	if x, ok := a.([]any); ok {
		if y, ok := b.([]any); ok {
			compareLists(path, x, y, changes)
			return
		}
	}
	*changes = append(*changes, FieldChange{Path: path, From: a, To: b})
}

// compareLists compares item by item: by what names the items where they are
// objects with names of their own, else by place.
func compareLists(path string, a, b []any, changes *[]FieldChange) {
	for _, key := range []string{"name", "type", "mountPath", "containerPort", "port", "key", "ip"} {
		x, y := byKey(a, key), byKey(b, key)
		if x == nil || y == nil {
			continue
		}
		compareKeyed(path, x, y, changes)
		return
	}
	for i := range max(len(a), len(b)) {
		var x, y any
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		compareValues(path+"["+strconv.Itoa(i)+"]", x, y, changes)
	}
}

func compareKeyed(path string, a, b map[string]any, changes *[]FieldChange) {
	for _, k := range slices.Sorted(maps.Keys(a)) {
		compareValues(path+"["+k+"]", a[k], b[k], changes)
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if _, both := a[k]; !both {
			compareValues(path+"["+k+"]", nil, b[k], changes)
		}
	}
}

// byKey is a list as a map by one of its items' keys, nil when that does not name each of them.
func byKey(list []any, key string) map[string]any {
	m := map[string]any{}
	for _, item := range list {
		o, ok := item.(map[string]any)
		if !ok || o[key] == nil {
			return nil
		}
		name := fmt.Sprint(o[key])
		if _, twice := m[name]; twice {
			return nil
		}
		m[name] = item
	}
	return m
}

// under is a path one key deeper. Keys with dots stand in brackets.
func under(path, key string) string {
	switch {
	case strings.ContainsAny(key, "./"):
		return path + "[" + key + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// String is the change on one line.
func (c FieldChange) String() string {
	switch {
	case c.From == nil:
		return c.Path + ": + " + brief(c.To)
	case c.To == nil:
		return c.Path + ": - " + brief(c.From)
	}
	from, to := c.Brief()
	switch { // of a text, lines may only come or only go
	case from == "":
		return c.Path + ": + " + to
	case to == "":
		return c.Path + ": - " + from
	}
	return c.Path + ": " + from + " -> " + to
}

// Brief is what stood there and what will, each short enough for a table. Of
// texts with many lines it is the lines that differ.
func (c FieldChange) Brief() (from, to string) {
	a, b := lines(c.From), lines(c.To)
	if a == nil || b == nil {
		return brief(c.From), brief(c.To)
	}
	return brief(without(a, b)), brief(without(b, a))
}

// lines are those of a text with several, else nil.
func lines(v any) []string {
	text, ok := v.(string)
	if !ok || !strings.Contains(text, "\n") {
		return nil
	}
	return strings.Split(strings.TrimSpace(text), "\n")
}

// without are the lines of a that b does not have.
func without(a, b []string) string {
	var only []string
	for _, line := range a {
		if !slices.Contains(b, line) {
			only = append(only, strings.TrimSpace(line))
		}
	}
	return strings.Join(only, "; ")
}

// brief is a value in a table: a large one is cut, for it is whole in a diff.
func brief(v any) string {
	const most = 60
	var text string
	switch x := v.(type) {
	case nil:
		return ""
	case map[string]any:
		if len(x) > 0 {
			text = "{" + strings.Join(slices.Sorted(maps.Keys(x)), ", ") + "}"
		}
	case []any:
		text = count(len(x), "item")
		if len(x) > 0 && reflect.ValueOf(x[0]).Kind() != reflect.Map {
			text = strings.Trim(strings.Join(strings.Fields(fmt.Sprint(x)), ", "), " ")
		}
	default:
		text = fmt.Sprint(v)
		if strings.Contains(text, "\n") {
			text = count(strings.Count(strings.TrimRight(text, "\n"), "\n")+1, "line")
		}
	}
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}
