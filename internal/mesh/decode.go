package mesh

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/runtime"
)

// Problem is what was wrong with an object's text when it was decoded. The
// object is there all the same, without the values that could not be read.
type Problem struct {
	// Path is the field.
	Path string
	// Message is the sentence for the reader.
	Message string
	// Unknown is true for a field that the kind does not have. The API server
	// drops such fields when it stores an object.
	Unknown bool
	// Value is the name that does not exist, of a field or an enum.
	Value string
	// Known are the names that could stand there instead, sorted.
	Known []string
	// Type is the name of a message that does not exist.
	Type string
	// Belongs is where an unknown field has its place, the path of another
	// object nearby; empty when there is none, or several.
	Belongs string
}

// Problems are the unknown fields and unreadable values of the object.
func (o *Object) Problems() []Problem {
	o.decode()
	return o.issues
}

// decode fills spec and issues once.
func (o *Object) decode() {
	o.decoded.Do(func() {
		if o.preset != nil {
			o.spec = o.preset
			return
		}
		defer func() {
			if r := recover(); r != nil {
				o.issues = append(o.issues, Problem{Message: fmt.Sprintf("cannot be read: %v", r)})
			}
		}()
		if read := decoders[o.Kind]; read != nil {
			o.spec, o.issues = read(o.Raw())
		}
	})
}

// decoder reads the typed part of an object; it always returns a value of the
// kind's type, empty where nothing could be read.
type decoder func(raw map[string]any) (any, []Problem)

// istioSpec decodes "spec" as one of Istio's messages, the way istiod does.
func istioSpec[T any, M interface {
	*T
	proto.Message
	json.Unmarshaler
}](raw map[string]any) (any, []Problem) {
	spec := M(new(T))
	value := raw["spec"]
	problems := topLevel(raw, func() level { return message{md: spec.ProtoReflect().Descriptor()} })
	if value == nil || fill(spec.ProtoReflect(), value) {
		return spec, problems
	}
	proto.Reset(spec)
	s := messageSchema{problems: problems}
	clean := s.check(Path{"spec"}, value, spec.ProtoReflect().Descriptor())
	text, err := json.Marshal(clean)
	if err == nil && (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, spec) != nil {
		// protojson is several times as fast as istiod's own decoder, and
		// stricter in places; what istiod makes of the text counts.
		proto.Reset(spec)
		err = spec.UnmarshalJSON(text)
	}
	if err != nil {
		s.problems = append(s.problems, Problem{Path: "spec", Message: "cannot be read: " + cleanError(err)})
	}
	return spec, s.problems
}

// kubeSpec decodes "spec" as a Kubernetes type.
func kubeSpec[T any](raw map[string]any) (any, []Problem) {
	spec := new(T)
	of := reflect.TypeFor[T]()
	problems := topLevel(raw, func() level { return structureOf(of) })
	value, ok := raw["spec"].(map[string]any)
	if !ok {
		return spec, append(problems, notAnObject(raw["spec"])...)
	}
	problems = append(problems, unknownFields(Path{"spec"}, value, of)...)
	return spec, append(problems, fromUnstructured("spec", value, spec)...)
}

// kubeObject decodes the whole object as a Kubernetes type.
func kubeObject[T any](raw map[string]any) (any, []Problem) {
	object := new(T)
	return object, append(unknownFields(nil, raw, reflect.TypeFor[T]()), fromUnstructured("", raw, object)...)
}

func notAnObject(value any) []Problem {
	if value == nil {
		return nil
	}
	return []Problem{{Path: "spec", Message: "must be an object, not " + describe(value)}}
}

func fromUnstructured(path string, value map[string]any, into any) []Problem {
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(value, into)
	if err == nil {
		return nil
	}
	// The converter is strict about the types of numbers; JSON's decoder is
	// the API server's.
	text, jsonErr := json.Marshal(value)
	if jsonErr == nil {
		jsonErr = json.Unmarshal(text, into)
	}
	if jsonErr == nil {
		return nil
	}
	var at Path
	if path != "" {
		at = Path{path}
	}
	if found := misfits(at, value, reflect.TypeOf(into)); len(found) > 0 {
		return found
	}
	return []Problem{{Path: path, Message: "cannot be read: " + cleanError(jsonErr)}}
}

// cleanError is the text of a decoding error without the prefixes of the
// library that made it.
func cleanError(err error) string {
	text := strings.ReplaceAll(err.Error(), "\u00a0", " ")
	for _, prefix := range []string{"proto: ", "json: ", "jsonpb: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
