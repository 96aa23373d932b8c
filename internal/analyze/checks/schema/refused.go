package schema

import (
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/crd"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Refused finds objects that the API server refuses by the schema of their kind.
var Refused = &analyze.Check{
	Code: "IST0106", Name: "refused-by-schema", Severity: analyze.Error,
	Uses: judgedKinds(),
	Doc: analyze.Doc{
		What: "An object breaks the schema of its custom resource definition: a limit, a pattern, a required field, fields that exclude each other, or a rule in CEL; or an object of a kind that the input defines has a field that its definition lacks.",
		Why:  "The API server refuses the object, so nothing of it reaches the mesh. An older version of it, if there is one, stays in force. A field that the definition lacks is dropped.",
		Fix:  "Correct the field. The schema is that of the definitions in the input, or else the one that comes with Istio 1.31 or the Gateway API 1.6.",
	},
	Run: func(p *analyze.Pass) {
		for _, kind := range definedKinds() {
			objects := p.Objects(kind)
			for i, found := range refusals.Of(p, kind) {
				tell(p, objects[i], found)
			}
		}
		for kind, objects := range others(p) {
			schemas := schemasOf(p, kind, objects)
			found, unknown := make([][]crd.Refusal, len(objects)), make([][]mesh.Problem, len(objects))
			mesh.Parallel(len(objects), func(i int) {
				found[i] = schemas.judge(objects[i])
				unknown[i] = schemas.unknown(objects[i])
			})
			for i, o := range objects {
				tell(p, o, found[i])
				for _, problem := range unknown[i] {
					tellUnknown(p, o, problem)
				}
			}
		}
	},
}

// refusals are why the API server refuses each object of a kind.
var refusals = analyze.PerKind(func(p *analyze.Pass, kind mesh.Kind) func(*mesh.Object) []crd.Refusal {
	return schemasOf(p, kind, p.Objects(kind)).judge
})

// definedKinds are the kinds of Istio and of the Gateway API, which have
// schemas in any case.
func definedKinds() []mesh.Kind {
	return slices.DeleteFunc(mesh.Kinds(), func(k mesh.Kind) bool {
		return !strings.HasSuffix(k.Group, ".istio.io") && k.Group != mesh.HTTPRoute.Group
	})
}

func judgedKinds() []mesh.Kind {
	kinds := append(definedKinds(), mesh.CustomResourceDefinition)
	slices.SortFunc(kinds, mesh.Kind.Compare)
	return kinds
}

// others are objects by kind that are judged besides: those of kinds that the
// input defines itself, the Gateway API's that nothing else reads, and those that a later definition replaces.
func others(p *analyze.Pass) map[mesh.Kind][]*mesh.Object {
	found := map[mesh.Kind][]*mesh.Object{}
	defined := map[string]bool{}
	for _, o := range p.Objects(mesh.CustomResourceDefinition) {
		defined[definedKind(o)] = true
	}
	for _, o := range p.All() {
		if _, known := mesh.KindOf(o.APIVersion, o.Kind.Kind); !known && (defined[o.Kind.Group+"/"+o.Kind.Kind] || o.Kind.Group == mesh.HTTPRoute.Group) {
			found[o.Kind] = append(found[o.Kind], o)
		}
	}
	for _, o := range p.Shadowed() {
		if slices.Contains(definedKinds(), o.Kind) {
			found[o.Kind] = append(found[o.Kind], o)
		}
	}
	return found
}

// definedKind is group/kind of what a CustomResourceDefinition defines.
func definedKind(o *mesh.Object) string {
	return fmt.Sprint(o.Field("spec", "group"), "/", o.Field("spec", "names", "kind"))
}

// tellUnknown reports a field that the definition of a foreign kind lacks: a
// warning where the definition is in the input, which may be another version
// than the cluster's.
func tellUnknown(p *analyze.Pass, o *mesh.Object, problem mesh.Problem) {
	f := tellProblem(p, o, problem)
	if definition := definitionOf(p, o.Kind); definition != nil {
		f.As(analyze.Warning).Evidence(definition.At("metadata.name"), "does not have the field")
	}
}

// schemas are those of one kind, by version.
type schemas map[string]*crd.Schema

// schemasOf makes the schemas ready that objects of a kind need. Objects of a
// cluster need none: its API server judged them.
func schemasOf(p *analyze.Pass, kind mesh.Kind, objects []*mesh.Object) schemas {
	byVersion := schemas{}
	definition := definitionOf(p, kind)
	for _, o := range objects {
		if _, done := byVersion[o.Version()]; !done && o.Origin.File != "" {
			byVersion[o.Version()] = schemaOf(definition, kind, o.Version())
		}
	}
	return byVersion
}

// judge is why the API server refuses an object.
func (s schemas) judge(o *mesh.Object) []crd.Refusal {
	if schema := s[o.Version()]; schema != nil && o.Origin.File != "" {
		return schema.Judge(o.Raw())
	}
	return nil
}

// unknown are the fields of an object of a foreign kind that the kind does not
// have; of the kinds that are read as types, other checks tell.
func (s schemas) unknown(o *mesh.Object) []mesh.Problem {
	schema := s[o.Version()]
	if _, typed := mesh.KindOf(o.APIVersion, o.Kind.Kind); typed || schema == nil || o.Origin.File == "" {
		return nil
	}
	return schema.Unknown(o.Raw())
}

// definitionOf is the input's own definition of a kind, nil when it has none.
func definitionOf(p *analyze.Pass, kind mesh.Kind) *mesh.Object {
	for _, o := range p.Objects(mesh.CustomResourceDefinition) {
		if definedKind(o) == kind.Group+"/"+kind.Kind && o.Version() == "v1" {
			return o
		}
	}
	return nil
}

// schemaOf is nil when there is no schema, or it is no valid one itself.
func schemaOf(definition *mesh.Object, kind mesh.Kind, version string) *crd.Schema {
	var schema *crd.Schema
	var err error
	if definition != nil {
		schema, err = crd.Defined(mesh.As[*apiextensionsv1.CustomResourceDefinitionSpec](definition).Spec, version)
	} else {
		schema, err = crd.Bundled(kind, version)
	}
	if err != nil {
		return nil
	}
	return schema
}

// tell reports why an object is refused, except for what is told of it anyway.
func tell(p *analyze.Pass, o *mesh.Object, found []crd.Refusal) {
	for _, r := range found {
		if known(o, r) {
			continue
		}
		f := p.Report(o.At("%s", r.Path), "the API server refuses the object: %s", r.Message)
		if best := hint.Closest(r.Value, r.Known); best != "" {
			f.Suggest("change it to %q", best)
		}
	}
}

// known says whether invalid-object tells of the same defect: a value of the
// wrong type, or a required field under a misspelt name.
func known(o *mesh.Object, r crd.Refusal) bool {
	return slices.ContainsFunc(o.Problems(), func(problem mesh.Problem) bool {
		if !problem.Unknown {
			return r.Path == problem.Path || strings.HasPrefix(r.Path, problem.Path+".") || strings.HasPrefix(r.Path, problem.Path+"[")
		}
		above := mesh.ParsePath(problem.Path)
		return r.Missing != "" && above[:len(above)-1].String() == r.Path && hint.Closest(problem.Value, problem.Known) == r.Missing
	})
}
