package mesh

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// level is one level of a kind's fields: a message, or a Go struct.
type level interface {
	// names are its fields, sorted.
	names() []string
	// child is the level of a field that is an object or a list of them; nil for
	// other fields.
	child(name string) level
}

// unknownField is the problem of a field that a level does not have. above are
// the levels that it lies in, the nearest last, with their paths.
func unknownField(at Path, name string, here level, above []place) Problem {
	p := Problem{
		Path: at.Join(name).String(), Message: fmt.Sprintf("unknown field %q", name), Unknown: true, Value: name, Known: here.names(),
	}
	for _, outer := range slices.Backward(above) {
		if slices.Contains(outer.level.names(), name) {
			if p.Belongs = outer.path.String(); p.Belongs == "" {
				p.Belongs = "the top level"
			}
			return p
		}
	}
	near := append(slices.Clone(above), place{here, at})
	for _, beside := range near {
		for _, inner := range beside.level.names() {
			child := beside.level.child(inner)
			if child == nil || !slices.Contains(child.names(), name) {
				continue
			}
			if p.Belongs != "" {
				p.Belongs = "" // in several; who knows which
				return p
			}
			p.Belongs = beside.path.Join(inner).String()
		}
	}
	return p
}

// place is a level and where it is.
type place struct {
	level level
	path  Path
}

// message is the level of a protobuf message.
type message struct {
	md protoreflect.MessageDescriptor
	// snake is true where people write names as Envoy does, such as typed_config.
	snake bool
}

func (m message) names() []string {
	if !m.snake {
		return fieldNames(m.md)
	}
	var names []string
	for i := range m.md.Fields().Len() {
		names = append(names, m.md.Fields().Get(i).TextName())
	}
	slices.Sort(names)
	return names
}

func (m message) child(name string) level {
	fd := m.md.Fields().ByJSONName(name)
	if fd == nil {
		fd = m.md.Fields().ByTextName(name)
	}
	if fd == nil || fd.Message() == nil || fd.IsMap() || fd.Message().ParentFile().Package() == "google.protobuf" {
		return nil
	}
	return message{fd.Message(), m.snake}
}

// structure is the level of a Go struct with JSON tags.
type structure struct{ fields map[string]reflect.Type }

func (s structure) names() []string { return slices.Sorted(maps.Keys(s.fields)) }

func (s structure) child(name string) level {
	t := s.fields[name]
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) && !reads(t) {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct || reads(t) {
		return nil
	}
	return structureOf(t)
}

// readers are the answers of reads, by reflect.Type.
var readers sync.Map

// reads says whether a type reads JSON itself, so that its fields say nothing.
func reads(t reflect.Type) bool {
	if known, ok := readers.Load(t); ok {
		return known.(bool)
	}
	reader := reflect.TypeFor[json.Unmarshaler]()
	does := t.Implements(reader) || reflect.PointerTo(t).Implements(reader)
	readers.Store(t, does)
	return does
}

// structures are the structs read so far, by reflect.Type.
var structures sync.Map

func structureOf(t reflect.Type) structure {
	if known, ok := structures.Load(t); ok {
		return known.(structure)
	}
	s := structure{map[string]reflect.Type{}}
	s.add(t)
	structures.Store(t, s)
	return s
}

func (s structure) add(t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch name, _, _ := strings.Cut(f.Tag.Get("json"), ","); {
		case name == "" && f.Anonymous && f.Type.Kind() == reflect.Struct:
			s.add(f.Type)
		case name != "" && name != "-" && f.IsExported():
			s.fields[name] = f.Type
		}
	}
}

// strict looks for fields that a Go type does not have.
type strict struct{ problems []Problem }

// unknownFields are the fields of value, decoded from JSON, that t does not have.
func unknownFields(at Path, value any, t reflect.Type) []Problem {
	if fits(value, t) {
		return nil // the usual case, without a thought on paths
	}
	var s strict
	s.check(at, value, t, nil)
	return s.problems
}

// fits says whether t has all fields of value.
func fits(value any, t reflect.Type) bool {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := value.(type) {
	case []any:
		if t.Kind() != reflect.Slice || reads(t) {
			return true
		}
		for _, item := range v {
			if !fits(item, t.Elem()) {
				return false
			}
		}
	case map[string]any:
		if k := t.Kind(); k != reflect.Map && k != reflect.Struct || reads(t) {
			return true
		}
		fields := func(string) (reflect.Type, bool) { return t.Elem(), true }
		if t.Kind() == reflect.Struct {
			here := structureOf(t)
			fields = func(name string) (reflect.Type, bool) { field, known := here.fields[name]; return field, known }
		}
		for name, item := range v {
			if field, known := fields(name); !known || !fits(item, field) {
				return false
			}
		}
	}
	return true
}

func (s *strict) check(at Path, value any, t reflect.Type, above []place) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reads(t) {
		return
	}
	switch v := value.(type) {
	case []any:
		if t.Kind() == reflect.Slice {
			for i, item := range v {
				s.check(at.Join(i), item, t.Elem(), above)
			}
		}
	case map[string]any:
		switch t.Kind() {
		case reflect.Map:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				s.check(at.Join(name), v[name], t.Elem(), nil)
			}
		case reflect.Struct:
			s.object(at, v, t, above)
		}
	}
}

func (s *strict) object(at Path, object map[string]any, t reflect.Type, above []place) {
	here := structureOf(t)
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if field, known := here.fields[name]; known {
			s.check(at.Join(name), object[name], field, append(above[:len(above):len(above)], place{here, at}))
		} else {
			s.problems = append(s.problems, unknownField(at, name, here, above))
		}
	}
}

// topLevel are unknown fields beside the spec and in the metadata.
func topLevel(raw map[string]any, spec func() level) []Problem {
	root := fixed{"apiVersion", "kind", "metadata", "spec", "status"}
	var problems []Problem
	for _, name := range beside(raw, root) {
		p := Problem{Path: Path{name}.String(), Message: fmt.Sprintf("unknown field %q", name), Unknown: true, Value: name, Known: root}
		if slices.Contains(spec().names(), name) {
			p.Belongs = "spec"
		}
		problems = append(problems, p)
	}
	if meta, ok := raw["metadata"].(map[string]any); ok {
		fields := metadata()
		for _, name := range beside(meta, fields) {
			problems = append(problems, unknownField(Path{"metadata"}, name, fields, []place{{root, nil}}))
		}
		for _, name := range []string{"labels", "annotations"} {
			if words := meta[name]; !onlyTexts(words) {
				problems = append(problems, misfits(Path{"metadata", name}, words, reflect.TypeFor[map[string]string]())...)
			}
		}
	}
	return problems
}

// onlyTexts says whether a value is an object whose values are texts, or missing.
func onlyTexts(value any) bool {
	words, ok := value.(map[string]any)
	for _, word := range words {
		if _, text := word.(string); !text && word != nil {
			return false
		}
	}
	return ok || value == nil
}

// beside are the names in m that are not known, sorted.
func beside(m map[string]any, known []string) []string {
	var names []string
	for name := range m {
		if !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// fixed is a level whose fields are known by name.
type fixed []string

func (f fixed) names() []string       { return f }
func (fixed) child(name string) level { return nil }

// metadata are the fields that every object's metadata may have.
func metadata() fixed {
	return fixed{
		"annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName", "generation",
		"labels", "managedFields", "name", "namespace", "ownerReferences", "resourceVersion", "selfLink", "uid",
	}
}
