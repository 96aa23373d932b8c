package install

import (
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	meshconfig "istio.io/api/mesh/v1alpha1"
)

// meshConfigSchema is the schema of Istio's MeshConfig.
func meshConfigSchema() *shape {
	return protoSchema((&meshconfig.MeshConfig{}).ProtoReflect().Descriptor())
}

// protoSchema reads a schema off the JSON form of a protobuf message.
func protoSchema(d protoreflect.MessageDescriptor) *shape {
	if name := string(d.FullName()); strings.HasPrefix(name, "google.protobuf.") {
		switch strings.TrimPrefix(name, "google.protobuf.") {
		case "Duration", "Timestamp", "StringValue":
			return &shape{kind: textValue}
		case "BoolValue":
			return &shape{kind: boolValue}
		case "Int32Value", "Int64Value", "UInt32Value", "UInt64Value", "DoubleValue", "FloatValue":
			return &shape{kind: numberValue}
		}
		return whatever
	}
	s := &shape{kind: mapValue, keys: map[string]*shape{}}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		s.keys[f.JSONName()] = protoField(f)
	}
	return s
}

func protoField(f protoreflect.FieldDescriptor) *shape {
	switch {
	case f.IsMap():
		return &shape{kind: mapValue, open: protoKind(f.MapValue())}
	case f.IsList():
		return &shape{kind: listValue, elem: protoKind(f)}
	}
	return protoKind(f)
}

func protoKind(f protoreflect.FieldDescriptor) *shape {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		m := f.Message()
		return &shape{load: func() *shape { return protoSchema(m) }}
	case protoreflect.StringKind, protoreflect.BytesKind:
		return &shape{kind: textValue}
	case protoreflect.BoolKind:
		return &shape{kind: boolValue}
	case protoreflect.EnumKind:
		return whatever // by name or by number
	}
	return &shape{kind: numberValue}
}
