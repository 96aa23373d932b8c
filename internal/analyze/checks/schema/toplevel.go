package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/meshctl/meshctl/internal/mesh"
)

// objectFields and metadataFields are those that every object may have.
func objectFields() []string { return []string{"apiVersion", "kind", "metadata", "spec", "status"} }

func metadataFields() []string {
	return []string{
		"annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName", "generation",
		"labels", "managedFields", "name", "namespace", "ownerReferences", "resourceVersion", "selfLink", "uid",
	}
}

// topLevel are unknown fields beside "spec" and in the metadata.
func topLevel(o *mesh.Object) []mesh.Problem {
	problems := unknown(nil, o.Raw(), objectFields())
	if meta, ok := o.Field("metadata").(map[string]any); ok {
		problems = append(problems, unknown(mesh.Path{"metadata"}, meta, metadataFields())...)
	}
	return problems
}

func unknown(at mesh.Path, fields map[string]any, known []string) []mesh.Problem {
	var problems []mesh.Problem
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !slices.Contains(known, name) {
			problems = append(problems, mesh.Problem{
				Path: at.Join(name).String(), Message: fmt.Sprintf("unknown field %q", name), Unknown: true, Value: name, Known: known,
			})
		}
	}
	return problems
}
