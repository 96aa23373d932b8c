package mesh

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// misfits are the values, decoded from JSON, that a Go type cannot hold, each
// at its place. JSON's own decoder names the first one only, and leaves out
// where in a list it stands.
func misfits(at Path, value any, t reflect.Type) []Problem {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if value == nil {
		return nil
	}
	if reads(t) {
		return unreadBy(at, value, t)
	}
	switch t.Kind() {
	case reflect.Struct:
		return misfitsOfObject(at, value, func(name string) reflect.Type { return structureOf(t).fields[name] })
	case reflect.Map:
		return misfitsOfObject(at, value, func(string) reflect.Type { return t.Elem() })
	case reflect.Slice:
		return misfitsOfList(at, value, t.Elem())
	}
	text, err := json.Marshal(value)
	if err == nil && json.Unmarshal(text, reflect.New(t).Interface()) != nil {
		return misfit(at, typeName(t.Kind()), value)
	}
	return nil
}

func misfitsOfObject(at Path, value any, typeOf func(name string) reflect.Type) []Problem {
	object, ok := value.(map[string]any)
	if !ok {
		return misfit(at, "an object", value)
	}
	var found []Problem
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if t := typeOf(name); t != nil {
			found = append(found, misfits(at.Join(name), object[name], t)...)
		}
	}
	return found
}

func misfitsOfList(at Path, value any, of reflect.Type) []Problem {
	if _, text := value.(string); text && of.Kind() == reflect.Uint8 {
		return nil // bytes in base64
	}
	list, ok := value.([]any)
	if !ok {
		return misfit(at, "a list", value)
	}
	var found []Problem
	for i, item := range list {
		found = append(found, misfits(at.Join(i), item, of)...)
	}
	return found
}

// unreadBy is the problem of a value that a type with a form of its own, such
// as a quantity, does not take.
func unreadBy(at Path, value any, t reflect.Type) []Problem {
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, reflect.New(t).Interface())
	}
	if err == nil {
		return nil
	}
	return []Problem{{Path: at.String(), Message: fmt.Sprintf("%s cannot be read: %s", describe(value), cleanError(err))}}
}

func misfit(at Path, want string, value any) []Problem {
	return []Problem{{Path: at.String(), Message: fmt.Sprintf("must be %s, not %s", want, describe(value))}}
}

func typeName(kind reflect.Kind) string {
	switch name := kind.String(); {
	case strings.HasPrefix(name, "int"):
		return "a whole number"
	case strings.HasPrefix(name, "uint"):
		return "a whole number that is not negative"
	case strings.HasPrefix(name, "float"):
		return "a number"
	case kind == reflect.Bool:
		return "true or false"
	}
	return "a text"
}
