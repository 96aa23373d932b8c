package crd

import (
	"math"
	"regexp"
	"unicode/utf8"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
)

// answer is whether a value follows a schema. Most values plainly do, and need
// not be shown to the API server's own validator, which takes a hundred times
// as long; whatever is not plain is left to it.
type answer int

const (
	no answer = iota
	unsure
	yes
)

func is(b bool) answer {
	if b {
		return yes
	}
	return no
}

// node is one level of a schema.
type node struct {
	types string // empty for any
	// unclear is true when only the API server's validator knows.
	unclear bool
	// fallback is true when the value has a default.
	fallback bool
	// preserves is true when unknown fields are kept.
	preserves bool
	// opaque is true when CEL has the value as something else than it looks.
	opaque bool

	fields     map[string]*node
	additional *node
	items      *node
	unique     bool
	required   []string

	enum             []any
	pattern          *regexp.Regexp
	minimum, maximum *float64
	least, most      *int64 // of characters, items or fields
	all, any, one    []*node
	not              *node
}

// newNode takes over the parts of a schema that are quick to look at.
func newNode(p *apiextensions.JSONSchemaProps) *node {
	n := &node{
		types: p.Type, fallback: p.Default != nil, required: p.Required,
		minimum: p.Minimum, maximum: p.Maximum, all: newNodes(p.AllOf), any: newNodes(p.AnyOf), one: newNodes(p.OneOf),
	}
	n.unclear = p.ExclusiveMinimum || p.ExclusiveMaximum || p.MultipleOf != nil || p.UniqueItems || p.XIntOrString || p.XEmbeddedResource ||
		len(p.PatternProperties) > 0 || !plainFormat(p.Format)
	n.opaque = p.XEmbeddedResource || p.Format != "" && p.Type == "string"
	n.preserves = p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields
	n.unique = p.XListType != nil && *p.XListType != "atomic"
	switch p.Type {
	case "string":
		n.least, n.most = p.MinLength, p.MaxLength
	case "array":
		n.least, n.most = p.MinItems, p.MaxItems
	case "object":
		n.least, n.most = p.MinProperties, p.MaxProperties
	default:
		n.unclear = n.unclear || p.MinLength != nil || p.MaxLength != nil || p.MinItems != nil || p.MaxItems != nil || p.MinProperties != nil || p.MaxProperties != nil
	}
	for _, value := range p.Enum {
		n.enum = append(n.enum, value)
	}
	if p.Pattern != "" {
		pattern, err := regexp.Compile(p.Pattern)
		n.pattern, n.unclear = pattern, n.unclear || err != nil
	}
	if p.Not != nil {
		n.not = newNode(p.Not)
	}
	if p.Items != nil && p.Items.Schema != nil {
		n.items = newNode(p.Items.Schema)
	}
	if p.AdditionalProperties != nil && p.AdditionalProperties.Schema != nil {
		n.additional = newNode(p.AdditionalProperties.Schema)
	}
	if p.AdditionalProperties != nil && p.AdditionalProperties.Schema == nil {
		n.preserves = true
	}
	if len(p.Properties) > 0 {
		n.fields = make(map[string]*node, len(p.Properties))
		for name := range p.Properties {
			field := p.Properties[name]
			n.fields[name] = newNode(&field)
		}
	}
	return n
}

func newNodes(list []apiextensions.JSONSchemaProps) []*node {
	var nodes []*node
	for i := range list {
		nodes = append(nodes, newNode(&list[i]))
	}
	return nodes
}

// plainFormat says whether a format asks nothing of a value beside its type
// and range.
func plainFormat(format string) bool {
	switch format {
	case "", "int32", "int64", "uint32", "double", "float":
		return true
	}
	return false
}

// hasDefaults says whether the schema gives values to fields that are not set.
func (n *node) hasDefaults() bool {
	if n == nil || n.fallback {
		return n != nil
	}
	for _, field := range n.fields {
		if field.hasDefaults() {
			return true
		}
	}
	return n.items.hasDefaults() || n.additional.hasDefaults()
}

// fits says whether a value follows the schema.
func (n *node) fits(value any) answer {
	if n.unclear {
		return unsure
	}
	verdict := n.fitsType(value)
	if len(n.enum) > 0 {
		verdict = min(verdict, n.fitsEnum(value))
	}
	for _, part := range n.all {
		verdict = min(verdict, part.fits(value))
	}
	if verdict != no && len(n.any) > 0 {
		verdict = min(verdict, anyFits(n.any, value))
	}
	if verdict != no && len(n.one) > 0 {
		verdict = min(verdict, oneFits(n.one, value))
	}
	if verdict != no && n.not != nil {
		verdict = min(verdict, yes-n.not.fits(value))
	}
	return verdict
}

func (n *node) fitsType(value any) answer {
	switch v := value.(type) {
	case map[string]any:
		if n.types != "" && n.types != "object" {
			return no
		}
		return n.fitsObject(v)
	case []any:
		if n.types != "" && n.types != "array" {
			return no
		}
		return n.fitsList(v)
	case string:
		if n.types != "" && n.types != "string" {
			return no
		}
		if n.least == nil && n.most == nil && n.pattern == nil {
			return yes
		}
		return is(n.inRange(utf8.RuneCountInString(v)) && (n.pattern == nil || n.pattern.MatchString(v)))
	case bool:
		return is(n.types == "" || n.types == "boolean")
	case int64:
		if n.types != "" && n.types != "integer" && n.types != "number" {
			return no
		}
		if v < 0 || v > math.MaxInt32 {
			return unsure // for the sake of formats
		}
		return n.fitsNumber(float64(v))
	case float64:
		if n.types == "number" {
			return n.fitsNumber(v)
		}
	}
	return unsure // null, fractions
}

func (n *node) fitsNumber(v float64) answer {
	return is((n.minimum == nil || v >= *n.minimum) && (n.maximum == nil || v <= *n.maximum))
}

func (n *node) fitsObject(object map[string]any) answer {
	verdict := is(n.inRange(len(object)))
	for _, name := range n.required {
		if value, there := object[name]; !there {
			return no
		} else if value == nil {
			return unsure
		}
	}
	for name, value := range object {
		field := n.fields[name]
		if field == nil {
			field = n.additional
		}
		if field == nil {
			continue // pruned before it is judged
		}
		if verdict = min(verdict, field.fits(value)); verdict == no {
			return no
		}
	}
	return verdict
}

func (n *node) fitsList(list []any) answer {
	verdict := is(n.inRange(len(list)))
	if n.unique && len(list) > 1 {
		verdict = min(verdict, unsure)
	}
	if n.items == nil {
		return verdict
	}
	for _, item := range list {
		if verdict = min(verdict, n.items.fits(item)); verdict == no {
			return no
		}
	}
	return verdict
}

func (n *node) inRange(size int) bool {
	return (n.least == nil || int64(size) >= *n.least) && (n.most == nil || int64(size) <= *n.most)
}

// fitsEnum compares texts; other values are left to the validator.
func (n *node) fitsEnum(value any) answer {
	for _, allowed := range n.enum {
		if text, ok := allowed.(string); ok && text == value {
			return yes
		}
	}
	return unsure
}

func anyFits(nodes []*node, value any) answer {
	best := no
	for _, n := range nodes {
		best = max(best, n.fits(value))
	}
	return best
}

func oneFits(nodes []*node, value any) answer {
	sure, open := 0, 0
	for _, n := range nodes {
		switch n.fits(value) {
		case yes:
			sure++
		case unsure:
			open++
		}
	}
	switch {
	case open == 0:
		return is(sure == 1)
	case sure > 1:
		return no
	}
	return unsure
}
