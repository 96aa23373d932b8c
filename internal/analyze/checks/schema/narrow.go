package schema

import (
	"maps"
	"regexp"
	"slices"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Bounds of the search for the field that a validator's error is about.
const (
	narrowValues = 500 // objects with more values are not searched
	narrowTries  = 100
)

// narrow is the innermost field without which istiod's validator would not
// complain: its errors seldom say where. Empty when it is the object as a whole.
func narrow(o *mesh.Object, message string) mesh.Path {
	spec := o.Field("spec")
	if validators[o.Kind] == nil || count(spec) > narrowValues {
		return nil
	}
	s := &search{o: o, message: withoutNumbers(message)}
	s.all = s.complaints(spec)
	path := mesh.Path{"spec"}
	for value := spec; ; {
		key := s.blame(value, path)
		if key == nil {
			break
		}
		path, value = path.Join(key), child(value, key)
	}
	if len(path) == 1 {
		return nil
	}
	return path
}

// search asks the validator about parts of one object.
type search struct {
	o       *mesh.Object
	message string
	// all is what the whole object gets.
	all   map[string]int
	tries int
}

// blame is the key of the value's part without which there are fewer
// complaints; nil when that is no single part.
func (s *search) blame(value any, at mesh.Path) any {
	keys := keysOf(value)
	all := keys
	for len(keys) > 0 {
		half := keys[len(keys)/2:] // the last, which is what follows the others
		switch fewer, worse := s.lacking(at, half); {
		case !fewer || worse:
			keys = keys[:len(keys)/2]
		case len(half) == 1:
			return half[0]
		default:
			keys = half
		}
	}
	return s.onlyOne(at, all)
}

// onlyOne is the only part without which there are fewer complaints, though
// others come instead, such as that it is missing.
func (s *search) onlyOne(at mesh.Path, keys []any) (one any) {
	const few = 10
	if len(keys) > few {
		return nil
	}
	for _, key := range keys {
		if fewer, _ := s.lacking(at, []any{key}); fewer {
			if one != nil {
				return nil
			}
			one = key
		}
	}
	return one
}

// lacking says whether the validator complains less of the object that lacks
// parts, and whether of something else instead.
func (s *search) lacking(at mesh.Path, keys []any) (fewer, worse bool) {
	if s.tries++; s.tries > narrowTries {
		return false, false
	}
	now := s.complaints(without(s.o.Field("spec"), at[1:], keys))
	for message, n := range now {
		worse = worse || n > s.all[message]
	}
	return now[s.message] < s.all[s.message], worse
}

// complaints is what the validator says of the object with another spec, and
// how often.
func (s *search) complaints(spec any) map[string]int {
	raw := maps.Clone(s.o.Raw())
	raw["spec"] = spec
	part := mesh.NewObject(s.o.Kind, raw, mesh.Origin{})
	part.Namespace = s.o.Namespace
	v := validate(part)
	said := map[string]int{}
	for _, err := range slices.Concat(v.errs, v.warnings) {
		said[withoutNumbers(err.Error())]++
	}
	return said
}

var number = regexp.MustCompile(`\d+`)

// withoutNumbers is a message whose indexes do not count: they change when
// something before them is left out.
func withoutNumbers(message string) string { return number.ReplaceAllString(message, "0") }

func keysOf(value any) []any {
	var keys []any
	switch v := value.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			keys = append(keys, k)
		}
	case []any:
		for i := range v {
			keys = append(keys, i)
		}
	}
	return keys
}

func child(value, key any) any {
	switch v := value.(type) {
	case map[string]any:
		return v[key.(string)]
	case []any:
		return v[key.(int)]
	}
	return nil
}

// without is a copy of value that lacks the keys of the part at a path.
func without(value any, at mesh.Path, keys []any) any {
	switch v := value.(type) {
	case map[string]any:
		v = maps.Clone(v)
		if len(at) > 0 {
			key := at[0].(string)
			v[key] = without(v[key], at[1:], keys)
			return v
		}
		for _, k := range keys {
			delete(v, k.(string))
		}
		return v
	case []any:
		if len(at) > 0 {
			v = slices.Clone(v)
			v[at[0].(int)] = without(v[at[0].(int)], at[1:], keys)
			return v
		}
		var rest []any
		for i, item := range v {
			if !slices.Contains(keys, any(i)) {
				rest = append(rest, item)
			}
		}
		return rest
	}
	return value
}

// count is how many values a value holds.
func count(value any) int {
	n := 1
	switch v := value.(type) {
	case map[string]any:
		for _, item := range v {
			n += count(item)
		}
	case []any:
		for _, item := range v {
			n += count(item)
		}
	}
	return n
}
