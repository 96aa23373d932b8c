// Package parity compares what meshctl and istioctl render, object by object
// and field by field.
package parity

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v2"
)

// Object is one rendered object.
type Object struct {
	// ID is apiVersion, kind, namespace and name.
	ID     string
	fields map[any]any
}

// Load decodes a stream of YAML documents. Two objects with one ID are an error.
func Load(stream []byte) ([]Object, error) {
	var out []Object
	seen := map[string]bool{}
	for dec := yaml.NewDecoder(bytes.NewReader(stream)); ; {
		var m map[any]any
		if err := dec.Decode(&m); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("decoding object %d: %w", len(out)+1, err)
		}
		if len(m) == 0 {
			continue
		}
		meta, _ := m["metadata"].(map[any]any)
		ns, _ := meta["namespace"].(string)
		o := Object{ID: fmt.Sprintf("%v %v %s/%v", m["apiVersion"], m["kind"], ns, meta["name"]), fields: m}
		if seen[o.ID] {
			return nil, fmt.Errorf("two objects %s", o.ID)
		}
		seen[o.ID] = true
		out = append(out, o)
	}
}

// Label is a label of the object, "" without.
func (o Object) Label(key string) string {
	meta, _ := o.fields["metadata"].(map[any]any)
	labels, _ := meta["labels"].(map[any]any)
	v, _ := labels[key].(string)
	return v
}

// Difference is a field that is not the same.
type Difference struct {
	ID         string // the object
	Path       string // the field, "" for the whole object
	Ours, Peer string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: %s: meshctl has %s, istioctl %s", d.ID, cmp.Or(d.Path, "the object"), d.Ours, d.Peer)
}

const absent = "nothing"

// ownership are labels that say who installed an object. They may be added to
// what the peer has, never change it.
var ownership = []string{
	"meshctl.io/component", "meshctl.io/managed-by", "operator.istio.io/component", "istio.io/rev",
}

// Result is the comparison of two renderings.
type Result struct {
	Ours, Peer  int // objects
	Equal       int // objects without a difference
	Differences []Difference
}

// Compare compares two renderings. Our add-ons, which the peer has not, and our
// ownership labels are left out.
func Compare(ours, peer []Object) Result {
	ours = slices.DeleteFunc(slices.Clone(ours), func(o Object) bool {
		return strings.HasPrefix(o.Label("meshctl.io/component"), "addons.")
	})
	r := Result{Ours: len(ours), Peer: len(peer)}
	mine := map[string]Object{}
	for _, o := range ours {
		mine[o.ID] = o
	}
	for _, p := range peer {
		o, ok := mine[p.ID]
		delete(mine, p.ID)
		if !ok {
			r.Differences = append(r.Differences, Difference{ID: p.ID, Ours: absent, Peer: "it"})
			continue
		}
		dropOwnership(o, p)
		var found []Difference
		walk("", o.fields, p.fields, func(path string, a, b any) {
			found = append(found, Difference{ID: p.ID, Path: path, Ours: show(a), Peer: show(b)})
		})
		if len(found) == 0 {
			r.Equal++
		}
		r.Differences = append(r.Differences, found...)
	}
	for _, id := range slices.Sorted(maps.Keys(mine)) {
		r.Differences = append(r.Differences, Difference{ID: id, Ours: "it", Peer: absent})
	}
	return r
}

// SameOrder is whether both list the objects that both have in one order.
func SameOrder(ours, peer []Object) bool {
	common := func(a, b []Object) (ids []string) {
		has := map[string]bool{}
		for _, o := range b {
			has[o.ID] = true
		}
		for _, o := range a {
			if has[o.ID] {
				ids = append(ids, o.ID)
			}
		}
		return ids
	}
	return slices.Equal(common(ours, peer), common(peer, ours))
}

// dropOwnership removes from ours the ownership labels that the peer's object has not.
func dropOwnership(ours, peer Object) {
	meta, _ := ours.fields["metadata"].(map[any]any)
	labels, _ := meta["labels"].(map[any]any)
	for _, k := range ownership {
		if peer.Label(k) == "" {
			delete(labels, k)
		}
	}
	if peerMeta, _ := peer.fields["metadata"].(map[any]any); len(labels) == 0 && peerMeta["labels"] == nil {
		delete(meta, "labels")
	}
}

// walk reports the fields at which a and b differ.
func walk(path string, a, b any, report func(path string, a, b any)) {
	if am, ok := a.(map[any]any); ok {
		if bm, ok := b.(map[any]any); ok {
			keys := map[string]any{}
			for k := range am {
				keys[fmt.Sprint(k)] = k
			}
			for k := range bm {
				keys[fmt.Sprint(k)] = k
			}
			for _, name := range slices.Sorted(maps.Keys(keys)) {
				av, inA := am[keys[name]]
				bv, inB := bm[keys[name]]
				at := strings.TrimPrefix(path+"."+name, ".")
				switch {
				case !inA:
					report(at, missing{}, bv)
				case !inB:
					report(at, av, missing{})
				default:
					walk(at, av, bv, report)
				}
			}
			return
		}
	}
	al, aok := a.([]any)
	bl, bok := b.([]any)
	if aok && bok && len(al) == len(bl) {
		for i := range al {
			walk(fmt.Sprintf("%s[%d]", path, i), al[i], bl[i], report)
		}
		return
	}
	if !reflect.DeepEqual(a, b) {
		report(path, a, b)
	}
}

// missing is the value of a field that is not there, other than null.
type missing struct{}

func show(v any) string {
	if _, ok := v.(missing); ok {
		return absent
	}
	s := fmt.Sprintf("%#v", v)
	if str, ok := v.(string); ok {
		s = fmt.Sprintf("%q", str)
	}
	if len(s) > 200 {
		s = s[:200] + "..."
	}
	return s
}
