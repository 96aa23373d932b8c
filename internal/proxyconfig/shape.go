package proxyconfig

import (
	"encoding/json"
	"reflect"
	"strings"
)

// Decoding an element goes through two steps: what the target has no field for
// is dropped from the text, byte by byte, and encoding/json decodes the little
// that is left. A shape is what of a value is wanted, as the target's type says.
type shape struct {
	// fields are the members of an object that are wanted, in both spellings.
	fields map[string]*member
	// elem is the shape of the items of an array, or of the values of a map.
	elem *shape
}

type member struct {
	name  string // in Envoy's spelling, as the target's tag has it
	shape *shape // nil is all of it
}

// shaper says what its type reads by a value with the same fields, because it
// decodes itself; otherwise such a type is given the whole text.
type shaper interface{ shape() any }

// shapes are those of the types decoded so far.
type shapes map[reflect.Type]*shape

// of is the shape of a type; nil wants everything.
func (s shapes) of(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if known, ok := s[t]; ok {
		return known
	}
	if own, ok := reflect.New(t).Interface().(shaper); ok {
		return s.of(reflect.TypeOf(own.shape()))
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		one := &shape{fields: map[string]*member{}}
		s[t] = one // before its fields: a type may hold itself
		s.fields(one, t)
		return one
	case reflect.Slice, reflect.Array, reflect.Map:
		if t.Elem().Kind() == reflect.Uint8 {
			return nil
		}
		one := &shape{}
		s[t] = one
		if one.elem = s.of(t.Elem()); one.elem == nil {
			delete(s, t)
			return nil
		}
		return one
	}
	return nil
}

func (s shapes) fields(one *shape, t reflect.Type) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" && f.Anonymous:
			embedded := f.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			s.fields(one, embedded)
		case name == "" || name == "-":
		default:
			m := &member{name: name, shape: s.of(f.Type)}
			one.fields[name], one.fields[camelName(name)] = m, m
		}
	}
}

// only appends to out what of the value at start the shape wants, and returns
// the index after the value. camel turns the names in what is wanted whole.
func (w *shape) only(out, text []byte, start int, camel bool) ([]byte, int) {
	switch {
	case w != nil && w.fields != nil && text[start] == '{':
		return w.object(out, text, start, camel)
	case w != nil && w.elem != nil && (text[start] == '[' || text[start] == '{'):
		return w.list(out, text, start, camel)
	}
	end := valueEnd(text, start)
	if camel && (text[start] == '{' || text[start] == '[') {
		return appendSnakeKeys(out, text[start:end]), end
	}
	return append(out, text[start:end]...), end
}

func (w *shape) object(out, text []byte, start int, camel bool) ([]byte, int) {
	out = append(out, '{')
	first := true
	end := members(text, start, func(name []byte, from int) int {
		m := w.fields[string(name)]
		if m == nil {
			return valueEnd(text, from)
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(append(append(out, '"'), m.name...), `":`...)
		var after int
		out, after = m.shape.only(out, text, from, camel)
		return after
	})
	return closed(out, text, end, '}'), end
}

func (w *shape) list(out, text []byte, start int, camel bool) ([]byte, int) {
	out = append(out, text[start])
	first := true
	next := func(from int) int {
		var after int
		out, after = w.elem.only(out, text, from, camel)
		return after
	}
	comma := func() {
		if !first {
			out = append(out, ',')
		}
		first = false
	}
	if text[start] == '{' {
		end := members(text, start, func(name []byte, from int) int {
			comma()
			out = append(append(append(out, '"'), name...), `":`...)
			return next(from)
		})
		return closed(out, text, end, '}'), end
	}
	end := items(text, start, func(from int) int {
		comma()
		return next(from)
	})
	return closed(out, text, end, ']'), end
}

// closed ends what was copied as the text ended: with the bracket, or with
// what stands there instead, for the decoder to refuse.
func closed(out, text []byte, end int, bracket byte) []byte {
	if end > 0 && end <= len(text) && text[end-1] == bracket {
		return append(out, bracket)
	}
	return append(out, '!')
}
