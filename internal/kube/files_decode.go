package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// Bounds of one document after aliases are followed: values, and their depth.
const (
	maxNodes = 2_000_000
	maxDepth = 10_000
)

// decode is the document's content as the API server would get it: maps with
// text keys, lists, text, bool, int64, float64 and nil.
func (d *document) decode() (any, error) {
	if value, isJSON, ok := d.decodeQuick(); ok {
		if d.isJSON != isJSON {
			d.isJSON = isJSON
		}
		return value, nil
	}
	root, err := d.parseNodes()
	if err != nil {
		return nil, err
	}
	c := converter{}
	return c.value(root)
}

// decodeQuick decodes what needs no YAML library.
func (d *document) decodeQuick() (value any, isJSON, ok bool) {
	trimmed := bytes.TrimSpace(d.text)
	if len(trimmed) > 0 && trimmed[0] == '{' {
		if value, ok := decodeJSON(trimmed); ok {
			return value, true, true
		}
	}
	value, ok = decodePlain(textOf(d.text))
	return value, false, ok
}

// decodeJSON is the quick way for JSON; what it refuses is tried as YAML, whose
// errors name the line.
func decodeJSON(text []byte) (any, bool) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil || dec.More() {
		return nil, false
	}
	return plainNumbers(value), true
}

func plainNumbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for k, item := range v {
			v[k] = plainNumbers(item)
		}
	case []any:
		for i, item := range v {
			v[i] = plainNumbers(item)
		}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	}
	return value
}

// converter turns YAML nodes into plain values.
type converter struct{ nodes, depth int }

func (c *converter) value(n *yaml.Node) (any, error) {
	c.nodes++
	c.depth++
	defer func() { c.depth-- }()
	if c.nodes > maxNodes || c.depth > maxDepth {
		return nil, &lineError{n.Line, "it grows without end through its aliases"}
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return c.value(n.Content[0])
	case yaml.AliasNode:
		return c.value(n.Alias)
	case yaml.MappingNode:
		return c.mapping(n)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			v, err := c.value(item)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	return scalar(n)
}

func (c *converter) mapping(n *yaml.Node) (any, error) {
	m := make(map[string]any, len(n.Content)/2)
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, &lineError{key.Line, "a field's name is not a text"}
		}
		if key.Tag == "!!merge" || (key.Value == "<<" && key.Style == 0) {
			merged = append(merged, item)
			continue
		}
		if _, twice := m[key.Value]; twice {
			return nil, &lineError{key.Line, fmt.Sprintf("the field %q stands there twice", key.Value)}
		}
		v, err := c.value(item)
		if err != nil {
			return nil, err
		}
		m[key.Value] = v
	}
	for _, item := range merged {
		if err := c.merge(m, item); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// merge adds the fields of "<<" that m does not have itself.
func (c *converter) merge(m map[string]any, n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if err := c.merge(m, item); err != nil {
				return err
			}
		}
		return nil
	}
	v, err := c.value(n)
	if err != nil {
		return err
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return &lineError{n.Line, `"<<" merges something that is not an object`}
	}
	for k, item := range fields {
		if _, has := m[k]; !has {
			m[k] = item
		}
	}
	return nil
}

// scalar resolves a scalar as kubectl does: YAML 1.1, where a bare yes or on
// is true.
func scalar(n *yaml.Node) (any, error) {
	switch n.Tag {
	case "!!str", "!!binary":
		if n.Style == 0 {
			switch n.Value {
			case "y", "Y", "yes", "Yes", "YES", "on", "On", "ON":
				return true, nil
			case "n", "N", "no", "No", "NO", "off", "Off", "OFF":
				return false, nil
			}
		}
		return n.Value, nil
	case "!!null":
		return nil, nil
	case "!!bool":
		return n.Value == "true" || n.Value == "True" || n.Value == "TRUE", nil
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil && (len(n.Value) < 2 || n.Value[0] != '0') {
			return i, nil
		}
	case "!!timestamp":
		return n.Value, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, &lineError{n.Line, "it is not valid YAML: " + err.Error()}
	}
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case uint64:
		return float64(v), nil
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil, &lineError{n.Line, fmt.Sprintf("%s is not a number that JSON has", n.Value)}
		}
		return v, nil
	case string, bool, int64, nil:
		return v, nil
	}
	return n.Value, nil
}
