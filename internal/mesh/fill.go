package mesh

import (
	"math"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
)

// fill puts decoded YAML into a message, several times faster than by way of
// JSON. It says false for anything out of the ordinary, which istiod's own
// decoder then judges; the message is half-filled in that case.
func fill(m protoreflect.Message, value any) bool {
	fields, ok := value.(map[string]any)
	if !ok {
		return false
	}
	known := m.Descriptor().Fields()
	for name, v := range fields {
		fd := known.ByJSONName(name)
		if fd == nil {
			return false
		}
		if v == nil {
			continue
		}
		if one := fd.ContainingOneof(); one != nil && m.WhichOneof(one) != nil {
			return false
		}
		switch {
		case fd.IsMap():
			ok = fillMap(m.Mutable(fd).Map(), fd, v)
		case fd.IsList():
			ok = fillList(m.Mutable(fd).List(), fd, v)
		default:
			var pv protoreflect.Value
			if pv, ok = fillOne(fd, m.NewField(fd), v); ok {
				m.Set(fd, pv)
			}
		}
		if !ok {
			return false
		}
	}
	return true
}

func fillMap(to protoreflect.Map, fd protoreflect.FieldDescriptor, value any) bool {
	items, ok := value.(map[string]any)
	if !ok || fd.MapKey().Kind() != protoreflect.StringKind {
		return false
	}
	for k, item := range items {
		v, ok := fillOne(fd.MapValue(), to.NewValue(), item)
		if !ok {
			return false
		}
		to.Set(protoreflect.ValueOfString(k).MapKey(), v)
	}
	return true
}

func fillList(to protoreflect.List, fd protoreflect.FieldDescriptor, value any) bool {
	items, ok := value.([]any)
	if !ok {
		return false
	}
	for _, item := range items {
		v, ok := fillOne(fd, to.NewElement(), item)
		if !ok {
			return false
		}
		to.Append(v)
	}
	return true
}

// fillOne is one value of a field; empty is a new value of the field's type.
func fillOne(fd protoreflect.FieldDescriptor, empty protoreflect.Value, value any) (protoreflect.Value, bool) {
	if md := fd.Message(); md != nil {
		if md.ParentFile().Package() == "google.protobuf" {
			known, ok := wellKnown(md, empty.Message(), value)
			if !ok {
				return empty, false
			}
			return protoreflect.ValueOfMessage(known.ProtoReflect()), true
		}
		return empty, fill(empty.Message(), value)
	}
	return scalarOf(fd, value)
}

// wellKnown are the messages that JSON writes in a form of their own.
func wellKnown(md protoreflect.MessageDescriptor, empty protoreflect.Message, value any) (proto.Message, bool) {
	switch md.Name() {
	case "Duration":
		text, ok := value.(string)
		d, err := time.ParseDuration(text)
		return durationpb.New(d), ok && err == nil
	case "Struct":
		fields, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		s, err := structpb.NewStruct(fields)
		return s, err == nil
	case "BoolValue", "StringValue", "Int32Value", "Int64Value", "UInt32Value", "UInt64Value", "DoubleValue", "FloatValue":
		inner := md.Fields().ByName("value")
		v, ok := scalarOf(inner, value)
		if ok {
			empty.Set(inner, v)
		}
		return empty.Interface(), ok
	}
	return nil, false
}

func scalarOf(fd protoreflect.FieldDescriptor, value any) (protoreflect.Value, bool) {
	var none protoreflect.Value
	switch v := value.(type) {
	case bool:
		return protoreflect.ValueOfBool(v), fd.Kind() == protoreflect.BoolKind
	case string:
		switch fd.Kind() {
		case protoreflect.StringKind:
			return protoreflect.ValueOfString(v), true
		case protoreflect.EnumKind:
			if ev := fd.Enum().Values().ByName(protoreflect.Name(v)); ev != nil {
				return protoreflect.ValueOfEnum(ev.Number()), true
			}
		}
	case float64:
		if fd.Kind() == protoreflect.DoubleKind {
			return protoreflect.ValueOfFloat64(v), true
		}
	case int64:
		switch fd.Kind() {
		case protoreflect.Int32Kind:
			return protoreflect.ValueOfInt32(int32(v)), v >= math.MinInt32 && v <= math.MaxInt32
		case protoreflect.Uint32Kind:
			return protoreflect.ValueOfUint32(uint32(v)), v >= 0 && v <= math.MaxUint32
		case protoreflect.Int64Kind:
			return protoreflect.ValueOfInt64(v), true
		case protoreflect.Uint64Kind:
			return protoreflect.ValueOfUint64(uint64(v)), v >= 0
		case protoreflect.DoubleKind:
			return protoreflect.ValueOfFloat64(float64(v)), true
		}
	}
	return none, false
}
