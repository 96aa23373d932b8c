// Package schema has the checks of single objects against their kind: fields
// that do not exist, values that cannot be, and what istiod's webhook refuses.
package schema

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/crd"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Invalid finds objects that the API server or istiod refuses, or whose fields
// are silently dropped.
var Invalid = &analyze.Check{
	Code: "IST0106", Name: "invalid-object", Severity: analyze.Error,
	Uses: istioKinds(),
	Doc: analyze.Doc{
		What: "An object does not follow the rules of its kind: a field that the kind does not have, a value of the wrong type, or a combination that istiod refuses.",
		Why:  "An unknown field is dropped without a word, so the object does less than it says. Anything else is refused when it is applied, or ignored by istiod where its webhook is not asked.",
		Fix:  "Correct the field. The reference of each kind is at https://istio.io/latest/docs/reference/config/.",
	},
	Run: func(p *analyze.Pass) {
		for _, kind := range istioKinds() {
			if _, skipped := p.Skipped(kind); skipped {
				p.CantTell(kind, "")
			}
			objects := p.Objects(kind)
			told := make([][]crd.Refusal, len(objects))
			if p.Runs("refused-by-schema") {
				told = refusals.Of(p, kind)
			}
			for i, v := range verdictsOf(p, kind) {
				judge(p, objects[i], v, told[i])
			}
		}
		for _, o := range p.Shadowed() {
			if validators[o.Kind] != nil {
				judge(p, o, validate(o), nil)
			}
		}
	},
}

// judge reports everything that is wrong with one object.
func judge(p *analyze.Pass, o *mesh.Object, v verdict, told []crd.Refusal) {
	for _, problem := range o.Problems() {
		tellProblem(p, o, problem)
	}
	if !o.Kind.Serves(o.Version()) {
		p.Report(o.At("apiVersion"), "%s has no version %q", o.Kind, o.Version()).
			Suggest("change it to %q", o.Kind.APIVersion()).
			Replace(o.At("apiVersion"), o.Kind.APIVersion())
	}
	for _, err := range v.errs {
		if toldBy(told, err.Error()) || toldOfEnvoy(p, o, err) {
			continue
		}
		p.Report(place(o, err.Error()), "%s", oneLine(err))
	}
}

// correct has a typing error corrected when only one name can have been meant.
func correct(f *analyze.Finding, at mesh.Location, meant string) {
	switch {
	case meant == "":
	case at.Key:
		f.Rename(at, meant)
	default:
		f.Replace(at, meant)
	}
}

// tellProblem reports a field that does not exist, or a value that cannot be read.
func tellProblem(p *analyze.Pass, o *mesh.Object, problem mesh.Problem) *analyze.Finding {
	at := o.At("%s", problem.Path)
	at.Key = problem.Unknown
	f := p.Report(at, "%s", problem.Message)
	switch best := hint.Closest(problem.Value, problem.Known); {
	case problem.Unknown && problem.Belongs != "" && hint.Sole(problem.Value, problem.Known) == "":
		f.Suggest("move it to %s, where it is a field", problem.Belongs)
	case best != "":
		f.Suggest("change it to %q", best)
		correct(f, at, hint.Sole(problem.Value, problem.Known))
	case problem.Unknown && len(problem.Known) > 0:
		f.Suggest("remove it, or move it where it belongs; the fields here are %s", strings.Join(problem.Known, ", "))
	}
	return f
}
