package mesh

import (
	"fmt"
	"strings"

	"github.com/cncf/xds/go/udpa/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// EnvoyProblems compares decoded YAML with a message of Envoy's API, and with
// those that its typed configurations name: fields and types that do not exist.
// The types must be linked into the program; an unknown message compares with
// nothing.
func EnvoyProblems(path Path, value any, message string) []Problem {
	var problems []Problem
	for _, p := range readEnvoy(path, value, message).problems {
		if p.Unknown || p.Type != "" {
			problems = append(problems, p)
		}
	}
	return problems
}

// EnvoyUse is something of Envoy's API that decoded YAML uses.
type EnvoyUse struct {
	// Path is the field, or the "@type" of a typed configuration.
	Path string
	// Descriptor is the field, the enum's value, or the type of the configuration.
	Descriptor protoreflect.Descriptor
}

// EnvoyUses are the fields, enum values and types that decoded YAML of a message
// uses, and those of its typed configurations; what does not exist is left out.
func EnvoyUses(path Path, value any, message string) []EnvoyUse {
	return readEnvoy(path, value, message).uses
}

func readEnvoy(path Path, value any, message string) *messageSchema {
	s := &messageSchema{typed: true}
	if mt, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(message)); err == nil {
		s.check(path, value, mt.Descriptor())
	}
	return s
}

// use notes what a value of Envoy's API uses.
func (s *messageSchema) use(path Path, what protoreflect.Descriptor) {
	if s.typed {
		s.uses = append(s.uses, EnvoyUse{path.String(), what})
	}
}

// configuration checks what a google.protobuf.Any holds, by its "@type".
func (s *messageSchema) configuration(path Path, value any) any {
	m, ok := value.(map[string]any)
	if !ok {
		return value
	}
	url, ok := m["@type"].(string)
	if !ok {
		return value
	}
	name := url[strings.LastIndexByte(url, '/')+1:]
	rest := make(map[string]any, len(m))
	for k, v := range m {
		if k != "@type" {
			rest[k] = v
		}
	}
	at := path.Join("@type")
	if name == "udpa.type.v1.TypedStruct" || name == "xds.type.v3.TypedStruct" {
		at = path.Join("type_url")
		inner, found := m["type_url"].(string)
		if !found {
			at = path.Join("typeUrl")
			inner, _ = m["typeUrl"].(string)
		}
		name, path = inner[strings.LastIndexByte(inner, '/')+1:], path.Join("value")
		rest, _ = m["value"].(map[string]any)
		if !strings.HasPrefix(name, "envoy.") {
			return value // a struct, or a filter that only its maker knows
		}
	}
	mt, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(name))
	if err != nil {
		s.problems = append(s.problems, Problem{Path: at.String(), Message: fmt.Sprintf("there is no type %q", name), Value: name, Type: name, Known: likelyTypes(name)})
		return value
	}
	s.use(at, mt.Descriptor())
	above := s.above
	s.above = nil
	if rest != nil {
		s.check(path, rest, mt.Descriptor())
	}
	s.above = above
	return value
}

// likelyTypes are the types that a name may be a typing error of: those with
// the same last part, or in the same package. Of a type of the API's version 2
// it is the one that took its place.
func likelyTypes(name string) []string {
	full := protoreflect.FullName(name)
	var near, now []string
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		other := mt.Descriptor().FullName()
		version, _ := proto.GetExtension(mt.Descriptor().Options(), annotations.E_Versioning).(*annotations.VersioningAnnotation)
		if version.GetPreviousMessageType() == name {
			now = append(now, string(other))
		}
		if strings.HasPrefix(string(other), "envoy.") && (other.Name() == full.Name() || other.Parent() == full.Parent()) {
			near = append(near, string(other))
		}
		return true
	})
	if len(now) == 1 {
		return now
	}
	return near
}
