package kube

import (
	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/internal/mesh"
)

// locator finds fields in the text of a document, which it parses anew: only
// what is reported needs a place.
type locator struct {
	*document
	// prefix is the object's path in the document: nil, or items[i] of a list.
	prefix mesh.Path
}

// Locate is the line and column of a field in the file; see [mesh.Locator].
func (l *locator) Locate(path mesh.Path, key bool) (line, column int) {
	path = append(l.prefix[:len(l.prefix):len(l.prefix)], path...)
	if l.isJSON {
		return l.locateJSON(path, key)
	}
	root, err := l.nodes()
	if err != nil || len(root.Content) == 0 {
		return l.line, l.column + 1
	}
	at := locate(root.Content[0], path, key, l.text)
	return l.line + at.Line - 1, at.Column
}

// locateJSON finds a field in JSON, of a list from its item on.
func (l *locator) locateJSON(path mesh.Path, key bool) (line, column int) {
	text := textOf(l.text)
	from := spot{at: 0, line: l.line, column: l.column + 1}
	if len(path) > 1 && path[0] == "items" {
		l.itemsOnce.Do(func() { l.items = jsonItems(text, from) })
		if i, ok := path[1].(int); ok && i < len(l.items) {
			from, path = l.items[i], path[2:]
		}
	}
	s := locateJSON(text, from, path, key)
	return s.line, s.column
}

// quickToParse is the length of a text, in bytes, that is sooner parsed again
// than its nodes are kept.
const quickToParse = 16 << 10

// nodes are the document's nodes, which are kept when it holds many objects, or
// is long and asked for again: a VirtualService may have thousands of findings.
func (d *document) nodes() (*yaml.Node, error) {
	if len(d.objects) < 2 && (len(d.text) < quickToParse || !d.asked.Swap(true)) {
		return d.parseNodes()
	}
	d.rootOnce.Do(func() { d.root, d.rootErr = d.parseNodes() })
	return d.root, d.rootErr
}

// locate is the node to point at for a path: a scalar's value, or the key of
// anything larger, or the deepest field above what does not exist. A path that
// leads on from a block of text leads into the YAML that is written there; text
// is what the nodes were read from.
func locate(n *yaml.Node, path mesh.Path, key bool, text []byte) *yaml.Node {
	named := n
	for i, step := range path {
		for n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		if inner := inBlock(n, path[i:], key, text); inner != nil {
			return inner
		}
		next, nextKey := child(n, step)
		if next == nil {
			return named
		}
		n, named = next, nextKey
	}
	if !key && n.Kind == yaml.ScalarNode && n.Value != "" {
		return n
	}
	return named
}

// child is the value at a step below a node, and the node that names it: the
// key of a field, the item itself of a list.
func child(n *yaml.Node, step any) (value, named *yaml.Node) {
	switch step := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && step >= 0 && step < len(n.Content) {
			return n.Content[step], n.Content[step]
		}
	case string:
		if n.Kind != yaml.MappingNode {
			return nil, nil
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == step {
				return n.Content[i+1], n.Content[i]
			}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "<<" {
				if value, named := child(resolve(n.Content[i+1]), step); value != nil {
					return value, named
				}
			}
		}
	}
	return nil, nil
}

func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

var _ mesh.Locator = (*locator)(nil)
