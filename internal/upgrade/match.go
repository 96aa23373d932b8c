package upgrade

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Hit is one thing of the mesh that a finding concerns.
type Hit struct {
	Object Object `json:"object"`
	// Position is the object's place in a file; empty for objects of a cluster.
	Position mesh.Position `json:"position,omitzero"`
	// Path is the field, empty for the whole object.
	Path string `json:"path,omitempty"`
	// Message says what of it; may be empty.
	Message string `json:"message,omitempty"`
}

// Object names an object.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

// hit is a hit at a location.
func hit(at mesh.Location, format string, args ...any) Hit {
	o := at.Object
	if strings.HasPrefix(o.Kind.Kind, "Cluster") { // files do not tell that it lives in no namespace
		return Hit{Object: Object{Kind: o.Kind.String(), Name: o.Name}, Position: at.Position(), Path: at.Path, Message: fmt.Sprintf(format, args...)}
	}
	return Hit{
		Object:   Object{Kind: o.Kind.String(), Namespace: o.Namespace, Name: o.Name},
		Position: at.Position(), Path: at.Path, Message: fmt.Sprintf(format, args...),
	}
}

// outcome is what a rule says of a mesh.
type outcome struct {
	triggered bool
	hits      []Hit
	// undecided is why the rule could not be decided; empty when it could.
	undecided gap
}

// apply runs a rule over a mesh.
func (r *Rule) apply(f *facts) (outcome, error) {
	missing, err := r.missing(f)
	if err != nil {
		return outcome{}, err
	}
	if r.When != "" {
		program, err := compile(r.When)
		if err != nil {
			return outcome{}, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		holds, err := evaluate[bool](program, f.variables())
		if err != nil {
			return outcome{undecided: because("the condition cannot be told here: " + err.Error())}, nil //nolint:nilerr // said in the plan
		}
		if !holds {
			return outcome{undecided: missing}, nil
		}
	}
	out := outcome{undecided: missing}
	if r.Func != "" {
		out.hits = functions()[r.Func](f)
	}
	for _, m := range r.Match {
		hits, undecided, err := m.hits(f)
		if err != nil {
			return outcome{}, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		out.hits = append(out.hits, hits...)
		if undecided != "" {
			out.undecided = because(undecided)
		}
	}
	out.triggered = r.Everyone || len(out.hits) > 0
	return out, nil
}

// missing says which kinds the rule would need and the snapshot does not hold.
func (r *Rule) missing(f *facts) (gap, error) {
	kinds, err := r.kinds()
	if err != nil {
		return gap{}, err
	}
	return f.missing(kinds...), nil
}

// kinds are the kinds that the rule looks at.
func (r *Rule) kinds() ([]mesh.Kind, error) {
	var all []mesh.Kind
	names := slices.Clone(r.Reads)
	for _, m := range r.Match {
		names = append(names, m.Kind)
	}
	for _, name := range names {
		kinds, err := kindsOf(name)
		if err != nil {
			return nil, fmt.Errorf("rule %s: %w", r.ID, err)
		}
		all = append(all, kinds...)
	}
	slices.SortFunc(all, mesh.Kind.Compare)
	return slices.Compact(all), nil
}

// hits are the subjects that match, and why some could not be told.
func (m Match) hits(f *facts) (hits []Hit, undecided string, err error) {
	where, err := compile(orTrue(m.Where))
	if err != nil {
		return nil, "", err
	}
	say, err := compile(orEmpty(m.Say))
	if err != nil {
		return nil, "", err
	}
	for _, s := range f.subjects(m.Kind) {
		variables := s.variables(f)
		matches, err := evaluate[bool](where, variables)
		if err != nil {
			undecided = fmt.Sprintf("%s cannot be judged: %v", s.at.Ref, err)
			continue
		}
		if !matches {
			continue
		}
		message, err := evaluate[string](say, variables)
		if err != nil {
			message = ""
		}
		hits = append(hits, hit(s.place(m.At), "%s", message))
	}
	return hits, undecided, nil
}

func orTrue(expression string) string {
	if expression == "" {
		return "true"
	}
	return expression
}

func orEmpty(expression string) string {
	if expression == "" {
		return `""`
	}
	return expression
}
