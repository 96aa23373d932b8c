package install

import (
	"fmt"
	"strings"

	yaml "go.yaml.in/yaml/v3"
)

// source is what an input was read from: a file, or a setting.
type source struct {
	name string
	text []byte // of a file
}

// at is the source's name, and the line of the key or item at path if it can be told.
func (s source) at(path string) string {
	var doc yaml.Node
	if len(s.text) == 0 || yaml.Unmarshal(s.text, &doc) != nil || len(doc.Content) == 0 {
		return s.name
	}
	if line := lineOf(doc.Content[0], path); line > 0 {
		return fmt.Sprintf("%s:%d", s.name, line)
	}
	return s.name
}

// lineOf is the line below n at which the end of path stands, 0 if nowhere.
// Keys may have dots in them.
func lineOf(n *yaml.Node, path string) int {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			rest, ok := strings.CutPrefix(path, key.Value)
			switch {
			case !ok:
			case rest == "":
				return key.Line
			case rest[0] == '.' || rest[0] == '[':
				if line := lineOf(n.Content[i+1], strings.TrimPrefix(rest, ".")); line > 0 {
					return line
				}
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			rest, ok := strings.CutPrefix(path, fmt.Sprintf("[%d]", i))
			switch {
			case !ok:
			case rest == "":
				return item.Line
			default:
				return lineOf(item, strings.TrimPrefix(rest, "."))
			}
		}
	}
	return 0
}
