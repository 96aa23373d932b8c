package kube

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/internal/mesh"
)

// inBlock is the node to point at in the YAML that a block of text (|) holds, as
// data.mesh of the mesh's ConfigMap does, with its place in text; nil when n is
// no such block. The step "line 3" is a line of the block, of YAML or not.
func inBlock(n *yaml.Node, path mesh.Path, key bool, text []byte) *yaml.Node {
	if n.Kind != yaml.ScalarNode || n.Style&yaml.LiteralStyle == 0 {
		return nil
	}
	indent := indentOf(n, text)
	if indent < 0 {
		return nil
	}
	var line int
	if step, _ := path[0].(string); step != "" {
		if _, err := fmt.Sscanf(step, "line %d", &line); err == nil {
			return &yaml.Node{Line: n.Line + line, Column: indent + 1}
		}
	}
	var inner yaml.Node
	if yaml.Unmarshal([]byte(n.Value), &inner) != nil || len(inner.Content) == 0 {
		return nil
	}
	at := locate(inner.Content[0], path, key, []byte(n.Value))
	return &yaml.Node{Line: n.Line + at.Line, Column: indent + at.Column}
}

// indentOf is how far the lines of a block are indented in text; negative when
// they cannot be found there.
func indentOf(n *yaml.Node, text []byte) int {
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range strings.Split(n.Value, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if n.Line+i >= len(lines) {
			return -1
		}
		return bytes.Index(lines[n.Line+i], []byte(line))
	}
	return -1
}
