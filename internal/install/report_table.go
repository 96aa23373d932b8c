package install

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// DocumentKind names the JSON and YAML form.
func (r *Report) DocumentKind() string { return "InstallReport" }

// Tables has a line per component and, for a plan, one for every field that it
// changes and every object that it prunes, takes over, finds in conflict or
// leaves; wide adds a line per object.
func (r *Report) Tables(wide bool) []output.Table {
	tables := []output.Table{r.summary()}
	if r.planned && r.DryRun != "client" {
		for _, t := range []output.Table{r.changes(), r.leftovers()} {
			if len(t.Rows) > 0 {
				tables = append(tables, t)
			}
		}
	}
	objects := output.Table{Columns: []string{"COMPONENT", "KIND", "NAMESPACE", "NAME", "ACTION", "DONE"}}
	for _, c := range r.Components {
		for _, o := range c.Objects {
			objects.Rows = append(objects.Rows, []string{c.Name, o.Kind, o.Namespace, o.Name, string(o.Action), strconv.FormatBool(o.Done)})
		}
	}
	if wide && len(objects.Rows) > 0 {
		tables = append(tables, objects)
	}
	return tables
}

// column is one number of a component in the summary.
type column struct {
	done, todo string // its heading after the fact, and in a plan
	always     bool
	of         func(ComponentReport) int
}

func columns() []column {
	return []column{
		{"OBJECTS", "OBJECTS", true, func(c ComponentReport) int { return len(c.Objects) }},
		{"CREATED", "CREATE", true, func(c ComponentReport) int { return c.Created }},
		{"CHANGED", "CHANGE", true, func(c ComponentReport) int { return c.Changed }},
		{"UNCHANGED", "UNCHANGED", true, func(c ComponentReport) int { return c.Unchanged }},
		{"TAKEN-OVER", "TAKE-OVER", false, func(c ComponentReport) int { return c.TakenOver }},
		{"PRUNED", "PRUNE", false, func(c ComponentReport) int { return c.Pruned }},
		{"CONFLICTS", "CONFLICT", false, func(c ComponentReport) int { return c.Conflicts }},
	}
}

// summary has a line per component. Columns that are rarely needed are there
// when some component has a number for them.
func (r *Report) summary() output.Table {
	t := output.Table{Columns: []string{"COMPONENT"}, Empty: "nothing to install"}
	var shown []column
	for _, col := range columns() {
		if r.DryRun == "client" && len(shown) > 0 {
			break
		}
		if col.always || slices.ContainsFunc(r.Components, func(c ComponentReport) bool { return col.of(c) > 0 }) {
			shown = append(shown, col)
			head := col.done
			if r.planned {
				head = col.todo
			}
			t.Columns = append(t.Columns, head)
		}
	}
	if !r.planned {
		t.Columns = append(t.Columns, "STATE")
		t.Tone = stateTone(len(t.Columns) - 1)
	}
	for _, c := range r.Components {
		row := []string{c.Name}
		for _, col := range shown {
			row = append(row, strconv.Itoa(col.of(c)))
		}
		if !r.planned {
			row = append(row, string(c.State))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// changes has a line per field that is to change. Of components that are new as
// a whole the summary says enough, and objects that only get another owner are counted.
func (r *Report) changes() output.Table {
	t := output.Table{Columns: []string{"ACTION", "OBJECT", "FIELD", "FROM", "TO"}, Tone: actionTone}
	for _, c := range r.Components {
		owned := map[Action]int{}
		var from string
		for _, o := range c.Objects {
			switch {
			case o.Action == Keep, o.Action == Create && c.Created == len(c.Objects):
			case o.OwnerOnly():
				owned[o.Action]++
				from = o.From
			default:
				t.Rows = append(t.Rows, o.rows()...)
			}
		}
		for _, a := range []Action{Change, TakeOver} {
			if n := owned[a]; n > 0 {
				t.Rows = append(t.Rows, []string{string(a), c.Name + ": " + count(n, "object"), "(ownership only)", from, FieldManager})
			}
		}
	}
	return t
}

// OwnerOnly says whether the object stays as it is but for who owns its fields.
func (o ObjectReport) OwnerOnly() bool {
	return (o.Action == Change || o.Action == TakeOver) && len(o.Fields) == 0
}

func (o ObjectReport) rows() [][]string {
	var rows [][]string
	line := func(field, from, to string) {
		rows = append(rows, []string{string(o.Action), o.Ident(), field, from, to})
	}
	for _, c := range o.Conflicts {
		line(orElse(strings.TrimPrefix(c.Field, "."), "(all)"), "owned by "+c.Owner, "")
	}
	for _, f := range o.Fields {
		from, to := f.Brief()
		line(f.Path, from, to)
	}
	if len(rows) == 0 {
		line("", "", "")
	}
	return rows
}

func (r *Report) leftovers() output.Table {
	t := output.Table{Columns: []string{"LEFT", "WHY"}}
	for _, l := range r.Left {
		t.Rows = append(t.Rows, []string{l.Ident(), l.Why})
	}
	return t
}

func actionTone(i int, cell string) output.Tone {
	if i != 0 {
		return output.Plain
	}
	switch Action(cell) {
	case Refused, Prune:
		return output.Bad
	case Create:
		return output.Good
	}
	return output.Plain
}

func stateTone(column int) func(int, string) output.Tone {
	return func(i int, cell string) output.Tone {
		if i != column {
			return output.Plain
		}
		switch State(cell) {
		case StateReady, StateRemoved:
			return output.Good
		case StateFailed, StateNotReady:
			return output.Bad
		}
		return output.Faint
	}
}
