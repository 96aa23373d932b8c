package install

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// kind is what a schema wants to see.
type valueKind int

const (
	anyValue valueKind = iota
	textValue
	boolValue
	numberValue
	mapValue
	listValue
)

func (k valueKind) String() string {
	return [...]string{"anything", "a text", "a boolean", "a number", "a map", "a list"}[k]
}

// shape says what may stand at one place of the input, so that a misspelt key
// is an error and "1.10" stays a text where a text is wanted.
type shape struct {
	kind valueKind
	keys map[string]*shape
	open *shape // what keys not in keys hold; nil: there are none
	elem *shape // what the items of a list are
	// loose shapes are read off a chart's defaults, which say less than a type
	// does: a value of another kind may be right, except a scalar for a closed map.
	loose bool
	load  func() *shape // stands for a part that is costly and seldom looked at
}

// whatever is the schema of a part that is not checked.
var whatever = &shape{kind: anyValue}

func (s *shape) resolve() *shape {
	for s != nil && s.load != nil {
		s = s.load()
	}
	if s == nil {
		return whatever
	}
	return s
}

// child is the schema below key, and whether such a key may be.
func (s *shape) child(key string) (*shape, bool) {
	s = s.resolve()
	if s.kind == anyValue {
		return whatever, true
	}
	if c, ok := s.keys[key]; ok {
		return c.resolve(), true
	}
	return s.open, s.open != nil
}

func (s *shape) known() []string {
	return slices.Sorted(maps.Keys(s.resolve().keys))
}

// check reports the first thing in v that the schema has no place for, as a
// usage error that names the place; where is what v was read from.
func (s *shape) check(where source, at string, v any) error {
	s = s.resolve()
	if v == nil || s.kind == anyValue {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		return s.checkMap(where, at, v)
	case []any:
		if s.kind != listValue {
			return s.mismatch(where, at, v)
		}
		for i, e := range v {
			if err := s.elem.check(where, fmt.Sprintf("%s[%d]", at, i), e); err != nil {
				return err
			}
		}
		return nil
	case string:
		if s.kind == textValue || s.loose && s.kind != mapValue || s.kind == numberValue && isNumber(v) {
			return nil
		}
	case bool:
		if s.kind == boolValue || s.loose && s.kind != mapValue {
			return nil
		}
	default:
		if s.kind == numberValue || s.loose && s.kind != mapValue {
			return nil
		}
	}
	if s.loose && s.keys == nil {
		return nil
	}
	return s.mismatch(where, at, v)
}

func (s *shape) checkMap(where source, at string, m map[string]any) error {
	if s.kind != mapValue {
		return s.mismatch(where, at, m)
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		c, ok := s.child(k)
		if !ok {
			return s.unknownKey(where, at, k)
		}
		if err := c.check(where, join(at, k), m[k]); err != nil {
			return err
		}
	}
	return nil
}

// isNumber is whether a text is a number, as JSON's readers of protobuf take it.
func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

func (s *shape) mismatch(where source, at string, v any) error {
	if s.loose && s.kind != mapValue {
		return nil
	}
	h := ""
	if _, isMap := v.(map[string]any); s.kind == textValue && !isMap {
		h = "put it in quotes to make it a text"
	}
	return hint.Usagef(h, "reading %s: %s is %s, where %s is wanted", where.at(at), at, describe(v), s.kind)
}

func (s *shape) unknownKey(where source, at, key string) error {
	known := s.known()
	h := hint.DidYouMean(key, known)
	if h == "" && len(known) <= 24 {
		h = "known keys: " + strings.Join(known, ", ")
	}
	return hint.Usagef(h, "reading %s: unknown key %q", where.at(join(at, key)), join(at, key))
}

func join(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

// walk is the schema at the end of a path, or the error of its first unknown key.
func (s *shape) walk(where source, path []step) (*shape, error) {
	at := ""
	cur := s.resolve()
	for _, st := range path {
		if st.list {
			if cur.kind == listValue {
				cur = cur.elem.resolve()
			} else if cur.kind != anyValue && !cur.loose {
				return nil, hint.Usagef("", "reading %s: %s is %s, not a list", where.at(at), at, cur.kind)
			} else {
				cur = whatever
			}
			at += st.String()
			continue
		}
		next, ok := cur.child(st.key)
		if !ok {
			if cur.kind != mapValue {
				return nil, hint.Usagef("", "reading %s: %s is %s and has no keys", where.at(at), at, cur.kind)
			}
			return nil, cur.unknownKey(where, at, st.key)
		}
		cur, at = next.resolve(), join(at, st.key)
	}
	return cur, nil
}

// parse turns the text of a --set into the value that the schema wants. Where
// the schema does not say, a text becomes a number only if it would be written
// back the same: 1.10 and 007 stay texts.
func (s *shape) parse(v string) any {
	s = s.resolve()
	if s.kind == textValue {
		return v
	}
	if s.kind == boolValue || len(v) > 1 { // t and 1 mean true only where a boolean is wanted
		if b, err := strconv.ParseBool(v); err == nil {
			return b
		}
	}
	if n, err := strconv.ParseInt(v, 10, 64); err == nil && strconv.FormatInt(n, 10) == v {
		return n
	}
	if f, err := strconv.ParseFloat(v, 64); err == nil && strconv.FormatFloat(f, 'f', -1, 64) == v {
		return f
	}
	return v
}
