package kube

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/internal/mesh"
)

// mostTried is how many bytes of a document are read to try edits, beyond the
// first one. Each edit reads all of it: thousands in one object would take
// minutes. The others can be worked out once these are made.
const mostTried = 16 << 20

// Change works an edit of the object out; see [mesh.Editor]. What it returns
// has been tried: the changed document differs in nothing but the field.
func (l *locator) Change(e mesh.Edit) (mesh.Change, bool) {
	if size := int64(len(l.text)); l.tried.Add(size) > max(size, mostTried) {
		return mesh.Change{}, false
	}
	root, err := l.parseNodes()
	if err != nil || len(root.Content) == 0 {
		return mesh.Change{}, false
	}
	e.Path = append(l.prefix[:len(l.prefix):len(l.prefix)], e.Path...)
	t, ok := targetOf(root.Content[0], e.Path)
	if !ok {
		return mesh.Change{}, false
	}
	text := editText{l.text}
	var start, end int
	var with string
	switch e.Action {
	case mesh.Replace:
		start, end, with, ok = text.replace(t, e.Value)
	case mesh.Rename:
		start, end, with, ok = text.rename(t, e.Value)
	case mesh.Remove:
		start, end, ok = text.remove(t)
	case mesh.Insert:
		start, end, with, ok = text.insert(t, e.Path[len(e.Path)-1], e.Value)
	}
	if !ok || !l.comesTo(e, start, end, with) {
		return mesh.Change{}, false
	}
	c := mesh.Change{Old: string(l.text[start:end]), New: with}
	c.Line, c.Column = l.placeOf(start)
	c.EndLine, c.EndColumn = l.placeOf(end)
	return c, true
}

// placeOf is the line and column in the file of an offset in the document.
func (l *locator) placeOf(offset int) (line, column int) {
	before := l.text[:offset]
	start := bytes.LastIndexByte(before, '\n') + 1
	column = utf8.RuneCount(before[start:]) + 1
	if start == 0 {
		column += l.column
	}
	return l.line + bytes.Count(before, []byte("\n")), column
}

// comesTo says whether the change makes of the document what the edit means.
func (l *locator) comesTo(e mesh.Edit, start, end int, with string) bool {
	was, err := l.decode()
	if err != nil || !apply(was, e) {
		return false
	}
	changed := document{text: slices.Concat(l.text[:start], []byte(with), l.text[end:])}
	is, err := changed.decode()
	return err == nil && reflect.DeepEqual(was, is)
}

// apply makes the edit in a decoded document; false when the field is not there.
func apply(value any, e mesh.Edit) bool {
	for _, step := range e.Path[:len(e.Path)-1] {
		switch step := step.(type) {
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return false
			}
			value = list[step]
		case string:
			m, _ := value.(map[string]any)
			value = m[step]
		}
	}
	last := e.Path[len(e.Path)-1]
	if i, ok := last.(int); ok {
		list, _ := value.([]any)
		if e.Action != mesh.Replace || i >= len(list) {
			return false
		}
		list[i] = plainValue(e.Value)
		return true
	}
	name, _ := last.(string)
	m, ok := value.(map[string]any)
	old, has := m[name]
	if !ok || has == (e.Action == mesh.Insert) {
		return false
	}
	switch e.Action {
	case mesh.Rename:
		to, _ := e.Value.(string)
		if _, taken := m[to]; taken || to == "" {
			return false
		}
		delete(m, name)
		m[to] = old
	case mesh.Remove:
		delete(m, name)
	default:
		m[name] = plainValue(e.Value)
	}
	return true
}

// plainValue is a value as the decoder would return it.
func plainValue(value any) any {
	switch v := value.(type) {
	case int:
		return int64(v)
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, item := range v {
			m[k] = plainValue(item)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = plainValue(item)
		}
		return list
	}
	return value
}

// target is a field in the tree of a document: its parent, which for a new
// field is all there is, its name's node and its value's.
type target struct {
	parent, key, value *yaml.Node
	// next and previous are the names beside it.
	next, previous *yaml.Node
}

// targetOf finds a field; it is false when something on the way is shared.
func targetOf(n *yaml.Node, path mesh.Path) (target, bool) {
	if len(path) == 0 {
		return target{}, false
	}
	t := target{}
	for i, step := range path {
		if n == nil || n.Kind == yaml.AliasNode || n.Anchor != "" {
			return target{}, false
		}
		t = target{parent: n}
		switch step := step.(type) {
		case int:
			if n.Kind != yaml.SequenceNode || step < 0 || step >= len(n.Content) {
				return target{}, false
			}
			t.value = n.Content[step]
		case string:
			if n.Kind != yaml.MappingNode {
				return target{}, false
			}
			t.find(step)
		}
		if t.value == nil && i < len(path)-1 {
			return target{}, false
		}
		n = t.value
	}
	return t, n == nil || n.Kind != yaml.AliasNode && n.Anchor == "" && !strings.HasPrefix(n.Tag, "!<")
}

func (t *target) find(name string) {
	fields := t.parent.Content
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i].Value != name || fields[i].Kind != yaml.ScalarNode {
			continue
		}
		t.key, t.value = fields[i], fields[i+1]
		if i > 0 {
			t.previous = fields[i-2]
		}
		if i+2 < len(fields) {
			t.next = fields[i+2]
		}
	}
}

var _ mesh.Editor = (*locator)(nil)
