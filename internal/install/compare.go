package install

import (
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/output"
)

// Difference is how two sets of objects differ. Objects are in the order of
// their names; those that are the same are not in it.
type Difference struct {
	Objects []ObjectDifference `json:"objects"`
}

// ObjectDifference is one object that only one side has, or both differently.
type ObjectDifference struct {
	Recorded
	// Action is what leads from the first to the second: create, change or prune.
	Action Action        `json:"action"`
	Fields []FieldChange `json:"fields"`

	from, to *unstructured.Unstructured
}

// Compare finds what leads from the objects in a to those in b.
func Compare(a, b []*unstructured.Unstructured) *Difference {
	d := &Difference{Objects: []ObjectDifference{}}
	sides := map[string][2]*unstructured.Unstructured{}
	for side, objects := range [][]*unstructured.Unstructured{a, b} {
		for _, obj := range objects {
			id := recordedOf("", obj).id()
			pair := sides[id]
			pair[side] = obj
			sides[id] = pair
		}
	}
	for _, pair := range sides {
		x := ObjectDifference{Fields: []FieldChange{}, from: pair[0], to: pair[1]}
		switch {
		case x.from == nil:
			x.Action, x.Recorded = Create, recordedOf("", x.to)
		case x.to == nil:
			x.Action, x.Recorded = Prune, recordedOf("", x.from)
		default:
			x.Action, x.Recorded = Change, recordedOf("", x.to)
			if x.Fields = fieldChanges(x.from, x.to); len(x.Fields) == 0 {
				continue
			}
		}
		x.Component = firstOf(pair).GetLabels()[LabelComponent]
		d.Objects = append(d.Objects, x)
	}
	slices.SortFunc(d.Objects, func(a, b ObjectDifference) int { return strings.Compare(a.id(), b.id()) })
	return d
}

func firstOf(pair [2]*unstructured.Unstructured) *unstructured.Unstructured {
	if pair[1] != nil {
		return pair[1]
	}
	return pair[0]
}

// DocumentKind names the JSON and YAML form.
func (d *Difference) DocumentKind() string { return "ManifestDiff" }

// Tables has a line per field.
func (d *Difference) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"ACTION", "OBJECT", "FIELD", "FROM", "TO"}, Tone: actionTone, Empty: "no difference"}
	for _, x := range d.Objects {
		o := ObjectReport{Kind: x.Kind, Namespace: x.Namespace, Name: x.Name, Action: x.Action, Fields: x.Fields}
		t.Rows = append(t.Rows, o.rows()...)
	}
	return []output.Table{t}
}

// WriteDiff writes unified diffs of YAML, an object after the other. from and to
// name the sides.
func (d *Difference) WriteDiff(w io.Writer, from, to string) error {
	for _, x := range d.Objects {
		left, right := from+"/"+x.Ident(), to+"/"+x.Ident()
		if x.from == nil {
			left = "/dev/null"
		}
		if x.to == nil {
			right = "/dev/null"
		}
		text, err := unified(left, right, x.from, x.to)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}
