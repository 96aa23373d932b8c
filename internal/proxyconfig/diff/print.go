package diff

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// AsDiff is the format of a unified difference.
const AsDiff output.Format = "diff"

// DocumentKind is the kind of the JSON and YAML document.
func (*Report) DocumentKind() string { return "ProxyConfigDiff" }

// Summarize leaves of the form for people the counts.
func (r *Report) Summarize() { r.summary = true }

// Text is the differences for people, by owner, or their counts.
func (r *Report) Text(paint func(output.Tone, string) string) []string {
	lines := []string{}
	switch {
	case r.Same:
		lines = append(lines, r.compared())
	case r.summary:
		return append(r.counts(), r.notes()...)
	default:
		many, rest := everywhere(r.Owners)
		for _, m := range many {
			lines = append(lines, m.lines(paint)...)
		}
		for _, o := range rest {
			lines = append(lines, ownerLines(o, paint)...)
		}
		lines = append(lines, r.total())
	}
	return append(lines, r.notes()...)
}

// compared says what is the same.
func (r *Report) compared() string {
	var parts []string
	for _, s := range r.Sections {
		if s.Skipped == "" && s.A+s.B > 0 {
			parts = append(parts, count(max(s.A, s.B), s.Name))
		}
	}
	if len(parts) == 0 {
		return fmt.Sprintf("%s and %s have nothing that could be compared.", r.A, r.B)
	}
	return fmt.Sprintf("%s and %s are the same: %s.", r.A, r.B, strings.Join(parts, ", "))
}

func count(n int, section string) string {
	switch section {
	case "bootstrap":
		return section
	case "endpoints":
		section = "lists of endpoints"
		if n == 1 {
			return "1 list of endpoints"
		}
	case "routes":
		section = "route configurations"
	}
	if n == 1 {
		section = strings.TrimSuffix(section, "s")
	}
	return strconv.Itoa(n) + " " + section
}

// total is how much differs.
func (r *Report) total() string {
	var parts []string
	for _, s := range r.Sections {
		if n := s.Added + s.Removed + s.Changed; n > 0 {
			part := count(max(s.A, s.B), s.Name)
			if s.Name != "bootstrap" {
				part = fmt.Sprintf("%d of %s", n, part)
			}
			parts = append(parts, part)
		}
	}
	return fmt.Sprintf("Different: %s (- %s, + %s).", strings.Join(parts, ", "), r.A, r.B)
}

// notes say what was not compared or taken for equal.
func (r *Report) notes() []string {
	var lines []string
	for _, s := range r.Sections {
		if s.Skipped != "" && s.A+s.B > 0 {
			lines = append(lines, fmt.Sprintf("Not compared: %s: %s.", s.Name, s.Skipped))
		}
	}
	if len(r.Normalised) > 0 {
		var parts []string
		for _, n := range r.Normalised {
			parts = append(parts, n.What)
		}
		lines = append(lines, "Taken for equal, because it differs between any two pods: "+strings.Join(slices.Compact(parts), ", ")+" (--raw compares it).")
	}
	return lines
}

// ownerLines are the changes of one owner.
func ownerLines(o OwnerChanges, paint func(output.Tone, string) string) []string {
	lines := []string{o.Owner.String()}
	object := ""
	for _, c := range o.Changes {
		whole := c.Path == ""
		if name := objectName(c.Section, c.Object); !whole && name != object {
			object = name
			lines = append(lines, "  "+name)
		}
		indent := "    "
		if whole {
			indent = "  "
		}
		lines = append(lines, indent+marked(c, paint))
	}
	return append(lines, "")
}

func marked(c Change, paint func(output.Tone, string) string) string {
	switch c.Action {
	case Added:
		return paint(output.Good, "+ "+c.Text)
	case Removed:
		return paint(output.Bad, "- "+c.Text)
	}
	return paint(output.Warn, "~ "+c.Text)
}

// shared is one change that many objects have alike.
type shared struct {
	change  Change
	objects []string
}

// enough is from how many objects on a change is told once for all of them.
const enough = 5

// everywhere takes out the changes that many objects have alike, as after an
// upgrade, and returns what is left.
func everywhere(owners []OwnerChanges) ([]shared, []OwnerChanges) {
	type same struct{ section, text string }
	at, all := map[same]int{}, []shared{}
	key := func(c Change) same { return same{c.Section, string(c.Action) + c.Text} }
	for _, o := range owners {
		for _, c := range o.Changes {
			if c.Path == "" {
				continue
			}
			i, there := at[key(c)]
			if !there {
				i = len(all)
				at[key(c)] = i
				all = append(all, shared{change: c})
			}
			all[i].objects = append(all[i].objects, c.Object)
		}
	}
	var rest []OwnerChanges
	for _, o := range owners {
		left := OwnerChanges{Owner: o.Owner}
		for _, c := range o.Changes {
			if c.Path == "" || len(all[at[key(c)]].objects) < enough {
				left.Changes = append(left.Changes, c)
			}
		}
		if len(left.Changes) > 0 {
			rest = append(rest, left)
		}
	}
	return slices.DeleteFunc(all, func(s shared) bool { return len(s.objects) < enough }), rest
}

func (s shared) lines(paint func(output.Tone, string) string) []string {
	return []string{
		fmt.Sprintf("In %d %s alike (%s, %s ...)", len(s.objects), s.change.Section, s.objects[0], s.objects[1]),
		"    " + marked(s.change, paint), "",
	}
}

// counts are the summary as lines.
func (r *Report) counts() []string {
	type cell struct{ added, removed, changed int }
	lines := []string{}
	rows := [][]string{{"OWNER", "SECTION", "ADDED", "REMOVED", "CHANGED"}}
	for _, o := range r.Owners {
		sums := map[string]*cell{}
		for _, c := range o.Changes {
			if sums[c.Section] == nil {
				sums[c.Section] = &cell{}
			}
			switch c.Action {
			case Added:
				sums[c.Section].added++
			case Removed:
				sums[c.Section].removed++
			default:
				sums[c.Section].changed++
			}
		}
		for _, section := range Sections() {
			if s := sums[section]; s != nil {
				rows = append(rows, []string{o.Owner.String(), section, strconv.Itoa(s.added), strconv.Itoa(s.removed), strconv.Itoa(s.changed)})
			}
		}
	}
	widths := make([]int, 5)
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], len(c))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		for i, c := range row {
			fmt.Fprintf(&b, "%-*s  ", widths[i], c)
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return append(lines, "", r.total())
}

// Tables is one row per difference.
func (r *Report) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"OWNER", "SECTION", "OBJECT", "CHANGE", "WHAT"}, Empty: r.compared()}
	for _, o := range r.Owners {
		for _, c := range o.Changes {
			t.Rows = append(t.Rows, []string{o.Owner.String(), c.Section, c.Object, string(c.Action), c.Text})
		}
	}
	if notes := r.notes(); len(notes) > 0 {
		t.After = append([]string{""}, notes...)
	}
	return []output.Table{t}
}

// Encode writes the format diff: the normalised forms of what differs.
func (r *Report) Encode(w io.Writer, f output.Format) (bool, error) {
	if f != AsDiff {
		return false, nil
	}
	for _, t := range r.texts {
		if _, err := io.WriteString(w, output.Diff("a/"+t.name, "b/"+t.name, t.a, t.b)); err != nil {
			return true, err
		}
	}
	return true, nil
}
