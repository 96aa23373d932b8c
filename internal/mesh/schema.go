package mesh

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// messageSchema compares decoded YAML with a message and collects what does
// not fit.
type messageSchema struct {
	problems []Problem
	above    []place // the messages that lead to the one that is checked
	typed    bool    // look into what a google.protobuf.Any holds, and note uses
	uses     []EnvoyUse
}

// check is value without what cannot be read as md. What fits is returned as
// it is, not copied.
func (s *messageSchema) check(path Path, value any, md protoreflect.MessageDescriptor) any {
	switch md.FullName() {
	case "google.protobuf.Struct":
		if _, ok := value.(map[string]any); !ok && value != nil {
			return s.wrong(path, "an object", value)
		}
		return value
	case "google.protobuf.Any":
		if s.typed {
			return s.configuration(path, value)
		}
		return value
	case "google.protobuf.Value", "google.protobuf.ListValue":
		return value
	case "google.protobuf.Duration", "google.protobuf.Timestamp":
		return s.time(path, value, md)
	}
	if strings.HasSuffix(string(md.FullName()), "Value") && md.ParentFile().Package() == "google.protobuf" {
		return s.scalar(path, value, md.Fields().ByName("value"))
	}
	m, ok := value.(map[string]any)
	if !ok {
		if value == nil {
			return nil
		}
		return s.wrong(path, "an object", value)
	}
	out, copied := m, false
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fd := md.Fields().ByJSONName(name)
		if fd == nil {
			fd = md.Fields().ByTextName(name)
		}
		at := path.Join(name)
		if fd == nil {
			s.problems = append(s.problems, unknownField(path, name, message{md, s.typed}, s.above))
			continue
		}
		s.use(at, fd)
		s.above = append(s.above, place{message{md, s.typed}, path})
		clean, ok := s.field(at, m[name], fd)
		s.above = s.above[:len(s.above)-1]
		if ok {
			continue
		}
		if !copied {
			out, copied = maps.Clone(m), true
		}
		out[name] = clean
	}
	return out
}

// field checks the value of one field; ok means it can stay as it is,
// otherwise clean is what remains of it.
func (s *messageSchema) field(path Path, value any, fd protoreflect.FieldDescriptor) (clean any, ok bool) {
	if value == nil {
		return nil, true
	}
	before := len(s.problems)
	switch {
	case fd.IsMap():
		m, isMap := value.(map[string]any)
		if !isMap {
			return s.wrong(path, "an object", value), false
		}
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if item, ok := s.item(path, key, m[key], fd.MapValue()); !ok {
				if clean == nil {
					m = maps.Clone(m)
					clean = m
				}
				m[key] = item
			}
		}
	case fd.IsList():
		list, isList := value.([]any)
		if !isList {
			return s.wrong(path, "a list", value), false
		}
		for i := range list {
			if item, ok := s.item(path, i, list[i], fd); !ok {
				if clean == nil {
					list = slices.Clone(list)
					clean = list
				}
				list[i] = item
			}
		}
		if list, changed := clean.([]any); changed && fd.Message() == nil {
			clean = slices.DeleteFunc(list, func(item any) bool { return item == nil }) // scalars are never null
		}
	default:
		clean = s.single(path, value, fd)
	}
	return clean, len(s.problems) == before
}

// item checks one value of a list or map; ok means that it can stay.
func (s *messageSchema) item(path Path, step, value any, fd protoreflect.FieldDescriptor) (clean any, ok bool) {
	before := len(s.problems)
	clean = s.single(path.Join(step), value, fd)
	return clean, len(s.problems) == before
}

func (s *messageSchema) single(path Path, value any, fd protoreflect.FieldDescriptor) any {
	if fd.Message() != nil {
		return s.check(path, value, fd.Message())
	}
	return s.scalar(path, value, fd)
}

func (s *messageSchema) scalar(path Path, value any, fd protoreflect.FieldDescriptor) any {
	if value == nil {
		return nil
	}
	switch fd.Kind() {
	case protoreflect.BoolKind:
		if _, ok := value.(bool); !ok {
			return s.wrong(path, "true or false", value)
		}
	case protoreflect.StringKind, protoreflect.BytesKind:
		if _, ok := value.(string); !ok {
			return s.wrong(path, "a text", value)
		}
	case protoreflect.EnumKind:
		name, ok := value.(string)
		if !ok {
			if isWhole(value) {
				return value
			}
			return s.wrong(path, "one of "+strings.Join(enumNames(fd.Enum()), ", "), value)
		}
		if value := fd.Enum().Values().ByName(protoreflect.Name(name)); value != nil {
			s.use(path, value)
		} else {
			known := enumNames(fd.Enum())
			s.problems = append(s.problems, Problem{
				Path: path.String(), Message: fmt.Sprintf("unknown value %q: one of %s", name, strings.Join(known, ", ")), Value: name, Known: known,
			})
			return nil
		}
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		if !isNumber(value) {
			return s.wrong(path, "a number", value)
		}
	default:
		if !isWhole(value) {
			return s.wrong(path, "a whole number", value)
		}
		if least, most := bounds(fd.Kind()); !within(value, least, most) {
			return s.wrong(path, fmt.Sprintf("between %.0f and %.0f", least, most), value)
		}
	}
	return value
}

// time checks a Duration or a Timestamp, as istiod reads it.
func (s *messageSchema) time(path Path, value any, md protoreflect.MessageDescriptor) any {
	text, ok := value.(string)
	if value == nil {
		return nil
	}
	if md.Name() == "Timestamp" {
		if _, err := time.Parse(time.RFC3339Nano, text); !ok || err != nil {
			return s.wrong(path, `a time such as "2026-01-31T12:00:00Z"`, value)
		}
		return value
	}
	if _, err := time.ParseDuration(text); !ok || err != nil {
		return s.wrong(path, `a duration such as "5s"`, value)
	}
	return value
}

// bounds are the smallest and the largest number that a field of the kind holds.
func bounds(kind protoreflect.Kind) (least, most float64) {
	switch kind {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		return math.MinInt32, math.MaxInt32
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return 0, math.MaxUint32
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return 0, math.MaxUint64
	}
	return math.MinInt64, math.MaxInt64
}

func within(value any, least, most float64) bool {
	switch v := value.(type) {
	case int:
		return float64(v) >= least && float64(v) <= most
	case int64:
		return float64(v) >= least && float64(v) <= most
	case uint64:
		return float64(v) <= most
	case float64:
		return v >= least && v <= most
	}
	return true
}

func (s *messageSchema) wrong(path Path, want string, value any) any {
	s.problems = append(s.problems, Problem{Path: path.String(), Message: fmt.Sprintf("must be %s, not %s", want, describe(value))})
	return nil
}

func isWhole(value any) bool {
	switch v := value.(type) {
	case int64, uint64, int:
		return true
	case float64:
		return v == math.Trunc(v)
	}
	return false
}

func isNumber(value any) bool {
	switch value.(type) {
	case int64, uint64, int, float64:
		return true
	}
	return false
}

// describe says what a decoded value is, for "must be X, not ...".
func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
	case string:
		return "the text " + strconv.Quote(v)
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		return "an object"
	case []any:
		return "a list"
	}
	return fmt.Sprintf("the number %v", value)
}

func fieldNames(md protoreflect.MessageDescriptor) []string {
	names := make([]string, 0, md.Fields().Len())
	for i := range md.Fields().Len() {
		names = append(names, md.Fields().Get(i).JSONName())
	}
	slices.Sort(names)
	return names
}

func enumNames(ed protoreflect.EnumDescriptor) []string {
	var names []string
	for i := range ed.Values().Len() {
		names = append(names, string(ed.Values().Get(i).Name()))
	}
	return names
}
