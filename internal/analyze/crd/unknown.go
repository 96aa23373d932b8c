package crd

import (
	"fmt"
	"maps"
	"slices"

	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Unknown are the fields that the schema does not have, and that the API server
// therefore drops. raw is only read.
func (s *Schema) Unknown(raw map[string]any) []mesh.Problem {
	paths := pruning.PruneWithOptions(runtime.DeepCopyJSON(raw), s.structural, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	var problems []mesh.Problem
	for _, text := range paths {
		path := mesh.ParsePath(text)
		if len(path) == 0 {
			continue // a field without a name
		}
		name, ok := path[len(path)-1].(string)
		if !ok {
			continue
		}
		_, level := lookUp(raw, s.root, path[:len(path)-1])
		p := mesh.Problem{Path: path.String(), Message: fmt.Sprintf("unknown field %q", name), Unknown: true, Value: name}
		if level != nil {
			p.Known = slices.Sorted(maps.Keys(level.fields))
		}
		problems = append(problems, p)
	}
	return problems
}
