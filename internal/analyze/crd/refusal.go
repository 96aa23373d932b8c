package crd

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Refusal is one reason why the API server refuses an object.
type Refusal struct {
	// Path is the field, or the one above it when it is missing.
	Path string
	// Message is the sentence for the reader.
	Message string
	// Value is what stands there, when it is a name; Known is what could.
	Value string
	Known []string
	// Missing is the name of a required field that is not there.
	Missing string
}

// refusals are errors in our words.
func (s *Schema) refusals(object map[string]any, errs field.ErrorList) []Refusal {
	var all []Refusal
	doubles := map[string]bool{} // lists with an item twice
	choices := false
	for _, err := range errs {
		if isChoice(err.Detail) {
			choices = true // without a place; see below
			continue
		}
		if err.Type == field.ErrorTypeInternal || err.Field == "" || err.Field == "<nil>" {
			continue // a fault of the schema, not of the object
		}
		path := mesh.ParsePath(err.Field)
		if err.Type == field.ErrorTypeDuplicate {
			doubles[path[:len(path)-1].String()] = true
		} else if doubles[path.String()] && strings.Contains(err.Detail, "unique") {
			continue // the same in other words
		}
		value, level := lookUp(object, s.root, path)
		all = append(all, refusal(err, path, value, level))
	}
	if choices {
		s.root.wrongChoices(nil, object, func(path mesh.Path, level *node, value any) {
			all = append(all, Refusal{Path: path.String(), Message: choice(level, value)})
		})
	}
	slices.SortStableFunc(all, func(a, b Refusal) int { return strings.Compare(a.Path, b.Path) })
	return slices.CompactFunc(all, func(a, b Refusal) bool { return a.Path == b.Path && a.Message == b.Message })
}

// refusal is one error at a place.
func refusal(err *field.Error, path mesh.Path, value any, level *node) Refusal {
	r := Refusal{Path: path.String()}
	detail := plain(err.Detail, err.Field)
	switch {
	case err.Type == field.ErrorTypeRequired && detail == "":
		r.Missing, _ = path[len(path)-1].(string)
		r.Path = path[:len(path)-1].String()
		r.Message = fmt.Sprintf("field %q is missing", r.Missing)
	case err.Type == field.ErrorTypeNotSupported:
		r.Value, r.Known = fmt.Sprint(err.BadValue), level.names()
		r.Message = fmt.Sprintf("%s is not one of %s", describe(value), strings.Join(r.Known, ", "))
	case err.Type == field.ErrorTypeTooLong, err.Type == field.ErrorTypeTooMany:
		r.Message = tooMuch(value, level)
	case err.Type == field.ErrorTypeDuplicate:
		r.Message = "the list has this item already"
	default:
		r.Message = sentence(describe(value), detail)
	}
	return r
}

// sentence says a detail of a value.
func sentence(value, detail string) string {
	switch {
	case detail == "":
		return strings.TrimSpace(value + " is not allowed here")
	case value == "" || strings.Contains(detail, value):
		return detail
	case strings.HasPrefix(detail, "must ") || strings.HasPrefix(detail, "should "):
		return value + " " + detail
	}
	return value + ": " + detail
}

// wrongChoices calls f for each level whose alternatives the value fits wrongly.
func (n *node) wrongChoices(path mesh.Path, value any, f func(mesh.Path, *node, any)) {
	if n == nil {
		return
	}
	bare := node{all: n.all, any: n.any, one: n.one, not: n.not}
	if bare.fits(value) == no {
		f(path, n, value)
	}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			field := n.fields[name]
			if field == nil {
				field = n.additional
			}
			field.wrongChoices(path.Join(name), v[name], f)
		}
	case []any:
		for i, item := range v {
			n.items.wrongChoices(path.Join(i), item, f)
		}
	}
}

// plain is a validator's sentence without its prefix about the place.
func plain(detail, path string) string {
	for _, prefix := range []string{path + " in body ", "in body "} {
		if rest, found := strings.CutPrefix(detail, prefix); found {
			detail = rest
		}
	}
	return strings.TrimSuffix(strings.TrimSpace(strings.ReplaceAll(detail, "\n", " ")), ".")
}

// isChoice says whether a sentence is about alternatives that exclude each other.
func isChoice(detail string) bool {
	for _, mark := range []string{"(oneOf)", "(anyOf)", "(not)", "(allOf)"} {
		if strings.Contains(detail, mark) {
			return true
		}
	}
	return false
}

// choice says which fields exclude each other, or are all missing.
func choice(level *node, value any) string {
	object, isObject := value.(map[string]any)
	if level == nil || !isObject {
		return "it fits none of the forms that are allowed here"
	}
	for _, alternatives := range level.alternatives() {
		var names, set []string
		for _, n := range alternatives {
			for _, name := range n.required {
				if !slices.Contains(names, name) {
					names = append(names, name)
					if _, there := object[name]; there {
						set = append(set, name)
					}
				}
			}
		}
		if len(set) > 1 {
			return fmt.Sprintf("only one of %s may be set", quoted(set, "and"))
		}
		if len(set) == 0 && len(names) > 0 {
			return fmt.Sprintf("one of %s must be set", quoted(names, "or"))
		}
	}
	return "its fields do not go together"
}

// alternatives are the lists of which an object must fit one, at this level.
func (n *node) alternatives() [][]*node {
	var lists [][]*node
	if len(n.one) > 0 {
		lists = append(lists, n.one)
	}
	for _, part := range n.all {
		lists = append(lists, part.alternatives()...)
	}
	if len(n.any) > 0 {
		lists = append(lists, n.any)
	}
	return lists
}

// names are the values that an enum allows.
func (n *node) names() []string {
	var names []string
	if n != nil {
		for _, v := range n.enum {
			names = append(names, fmt.Sprint(v))
		}
	}
	return names
}

func tooMuch(value any, level *node) string {
	most := ""
	if level != nil && level.most != nil {
		most = fmt.Sprintf(", and %d are allowed", *level.most)
	}
	switch v := value.(type) {
	case []any:
		return fmt.Sprintf("the list has %d items%s", len(v), most)
	case map[string]any:
		return fmt.Sprintf("there are %d fields%s", len(v), most)
	case string:
		return fmt.Sprintf("the text has %d characters%s", len([]rune(v)), most)
	}
	return "there is more than allowed here" + most
}

// describe is a short value as it is shown; empty for others.
func describe(value any) string {
	switch v := value.(type) {
	case string:
		if len(v) <= 60 {
			return fmt.Sprintf("%q", v)
		}
		return ""
	case bool, int64, float64:
		return fmt.Sprint(v)
	}
	return ""
}

func quoted(names []string, word string) string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = fmt.Sprintf("%q", name)
	}
	if len(list) == 1 {
		return list[0]
	}
	return strings.Join(list[:len(list)-1], ", ") + " " + word + " " + list[len(list)-1]
}

// lookUp is the value at a path, and the level of the schema for it; both may
// be nil.
func lookUp(value any, level *node, path mesh.Path) (any, *node) {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
			if level != nil {
				if field := level.fields[step]; field != nil {
					level = field
				} else {
					level = level.additional
				}
			}
		case int:
			list, _ := value.([]any)
			if value = nil; step >= 0 && step < len(list) {
				value = list[step]
			}
			if level != nil {
				level = level.items
			}
		}
	}
	return value, level
}
