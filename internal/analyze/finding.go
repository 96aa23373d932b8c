package analyze

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Finding is one defect at one place.
type Finding struct {
	Code     string   `json:"code"`
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	Object   Object   `json:"object"`
	// Field is the path in the object, such as spec.http[0].route[1].destination.host;
	// empty for the object as a whole.
	Field string `json:"field,omitempty"`
	// Position is the field's place in its file; absent for objects of a cluster.
	Position *mesh.Position `json:"position,omitempty"`
	Message  string         `json:"message"`
	// Fix is how to mend it; empty when there is no better advice than the check's own.
	Fix string `json:"fix,omitempty"`
	// Change is what files do to the finding of a cluster that they are laid
	// over; absent where nothing is laid over anything.
	Change Change `json:"change,omitempty"`
	// Edits mend it in the text, all together; none when that takes a decision.
	Edits []mesh.Change `json:"edits"`
	// Related are other objects that the finding rests on.
	Related []Related `json:"related"`
	// Uncertain is what could not be read and may prove the finding wrong. It
	// counts at its severity all the same.
	Uncertain []Uncertain `json:"uncertain"`

	at     mesh.Location
	wanted []edit
	from   *Check
	// place is where a finding is that no object holds.
	place *mesh.Position
}

// Object names an object in a report.
type Object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	Cluster    string `json:"cluster,omitempty"`
}

// String is "Kind namespace/name", or "Kind name" outside namespaces.
func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// Related is an object that a finding rests on, and what it has to do with it.
type Related struct {
	Object   Object         `json:"object"`
	Field    string         `json:"field,omitempty"`
	Position *mesh.Position `json:"position,omitempty"`
	Note     string         `json:"note"`

	at mesh.Location
}

// Suggest says how to mend this finding: a verb phrase, such as
// `change the host to "reviews"`.
func (f *Finding) Suggest(format string, args ...any) *Finding {
	f.Fix = fmt.Sprintf(format, args...)
	return f
}

// Evidence adds an object that the finding rests on; the note says what it
// has to do with it, such as "also claims the host".
func (f *Finding) Evidence(at mesh.Location, format string, args ...any) *Finding {
	r := Related{Object: objectOf(at.Object), Field: at.Path, Note: fmt.Sprintf(format, args...), at: at}
	if n := len(f.Related); n > 0 && f.Related[n-1].Object == r.Object && f.Related[n-1].Field == r.Field && f.Related[n-1].Note == r.Note {
		return f
	}
	f.Related = append(f.Related, r)
	return f
}

// As makes the finding worse or milder than its check's severity.
func (f *Finding) As(s Severity) *Finding {
	f.Severity = s
	return f
}

func objectOf(o *mesh.Object) Object {
	if o == nil {
		return Object{}
	}
	return Object{APIVersion: o.APIVersion, Kind: o.Kind.Kind, Namespace: o.Namespace, Name: o.Name, Cluster: o.Origin.Cluster}
}

// locate fills the positions and edits, which costs reading the document again.
func (f *Finding) locate() {
	if f.Position = position(f.at); f.Position == nil {
		f.Position = f.place
	}
	f.workOutEdits()
	for i := range f.Related {
		f.Related[i].Position = position(f.Related[i].at)
	}
}

func position(at mesh.Location) *mesh.Position {
	if p := at.Position(); p.File != "" {
		return &p
	}
	return nil
}

// compare orders findings: the worst first, then by code, object and place.
func compare(a, b *Finding) int {
	return cmp.Or(
		cmp.Compare(a.Severity.rank(), b.Severity.rank()),
		strings.Compare(a.Code, b.Code),
		strings.Compare(a.Object.Cluster, b.Object.Cluster),
		strings.Compare(a.Object.Namespace, b.Object.Namespace),
		strings.Compare(a.Object.Kind, b.Object.Kind),
		strings.Compare(a.Object.Name, b.Object.Name),
		comparePositions(a.Position, b.Position),
		strings.Compare(a.Field, b.Field),
		strings.Compare(a.Check, b.Check),
		strings.Compare(a.Message, b.Message),
	)
}

func comparePositions(a, b *mesh.Position) int {
	if a == nil || b == nil {
		return 0
	}
	return a.Compare(*b)
}
