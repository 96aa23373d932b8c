package checks_test

import (
	"reflect"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// value is a random value of a Kubernetes type, as JSON is decoded.
func (d *dice) value(t reflect.Type, depth int) any {
	switch t {
	case reflect.TypeFor[intstr.IntOrString]():
		if d.roll(2) == 1 {
			return d.word()
		}
		return d.number(-1<<31, 1<<31-1)
	case reflect.TypeFor[resource.Quantity]():
		return []any{"1", "100m", "1Gi", "-1"}[d.roll(4)]
	case reflect.TypeFor[metav1.Time](), reflect.TypeFor[metav1.MicroTime]():
		return "2026-11-23T00:00:00Z"
	case reflect.TypeFor[metav1.Duration]():
		return "5s"
	case reflect.TypeFor[metav1.FieldsV1](), reflect.TypeFor[runtime.RawExtension]():
		return map[string]any{}
	case reflect.TypeFor[[]byte]():
		return []any{"", "AAAA", "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="}[d.roll(3)]
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.value(t.Elem(), depth)
	case reflect.Struct:
		return d.structure(t, depth)
	case reflect.Slice:
		if depth > 14 {
			return []any{}
		}
		return d.list(func() any { return d.value(t.Elem(), depth+1) })
	case reflect.Map:
		m := map[string]any{}
		for range d.roll(4) {
			m[keys[d.roll(len(keys))]] = d.value(t.Elem(), depth+1)
		}
		return m
	case reflect.Bool:
		return d.roll(2) == 1
	case reflect.Int32:
		return d.number(-1<<31, 1<<31-1)
	case reflect.Int, reflect.Int64:
		return d.number(-1<<62, 1<<62)
	case reflect.Float64:
		return 0.5
	}
	return d.word()
}

func (d *dice) structure(t reflect.Type, depth int) any {
	m := map[string]any{}
	if t.NumField() == 0 || depth > 14 {
		return m
	}
	for range 1 + d.roll(max(9-depth, 2)) {
		d.set(m, t, d.roll(t.NumField()), depth)
	}
	for i := range t.NumField() { // a pod without containers is rare
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name == "containers" || name == "template" || name == "spec" && depth > 0 {
			d.set(m, t, i, depth)
		}
	}
	return m
}

// set gives m a random value of the struct's field i.
func (d *dice) set(m map[string]any, t reflect.Type, i, depth int) {
	f := t.Field(i)
	switch name, _, _ := strings.Cut(f.Tag.Get("json"), ","); {
	case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
		inner, _ := d.structure(f.Type, depth+1).(map[string]any)
		for k, v := range inner {
			m[k] = v
		}
	case name != "" && name != "-" && name != "managedFields":
		m[name] = d.value(f.Type, depth+1)
	}
}
