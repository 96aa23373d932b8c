package mesh

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// EnvoyProblems compares decoded YAML with a message of Envoy's API, and with
// those that its typed configurations name: fields and types that do not exist.
// The types must be linked into the program; an unknown message compares with
// nothing.
func EnvoyProblems(path Path, value any, message string) []Problem {
	s := messageSchema{typed: true}
	if mt, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(message)); err == nil {
		s.check(path, value, mt.Descriptor())
	}
	var problems []Problem
	for _, p := range s.problems {
		if p.Unknown || p.Type != "" {
			problems = append(problems, p)
		}
	}
	return problems
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
	above := s.above
	s.above = nil
	if rest != nil {
		s.check(path, rest, mt.Descriptor())
	}
	s.above = above
	return value
}

// likelyTypes are the types that a name may be a typing error of: those with
// the same last part, or in the same package.
func likelyTypes(name string) []string {
	full := protoreflect.FullName(name)
	var near []string
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		other := mt.Descriptor().FullName()
		if strings.HasPrefix(string(other), "envoy.") && (other.Name() == full.Name() || other.Parent() == full.Parent()) {
			near = append(near, string(other))
		}
		return true
	})
	return near
}
