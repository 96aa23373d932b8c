package trace

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// DocumentKind is the kind of the JSON and YAML document.
func (*Report) DocumentKind() string { return "ProxyTrace" }

// Text is the way as a chain of steps: a line each, and those that end it, or
// cannot be decided, in full.
func (r *Report) Text(paint func(output.Tone, string) string) []string {
	var lines []string
	for _, w := range []*Walk{r.Client, r.Server} {
		if w == nil {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, fmt.Sprintf("%s %s", w.Side, w.Proxy))
		lines = append(lines, w.text(paint)...)
	}
	lines = append(lines, "", r.mark(paint)+" "+r.Verdict)
	for _, a := range r.Advice {
		lines = append(lines, "  "+a)
	}
	return lines
}

func (r *Report) mark(paint func(output.Tone, string) string) string {
	switch {
	case !r.Decided():
		return paint(output.Warn, "?")
	case r.Reached():
		return paint(output.Good, "✓")
	}
	return paint(output.Bad, "✗")
}

func (w *Walk) text(paint func(output.Tone, string) string) []string {
	width := 0
	for _, s := range w.Steps {
		width = max(width, min(len(s.Name), 32))
	}
	var lines []string
	for i := range w.Steps {
		s := &w.Steps[i]
		line := fmt.Sprintf("  %s %-*s  %s", s.mark(paint), width, s.Name, s.Text)
		if owner := s.Owner.String(); owner != "" && !strings.Contains(s.Text, owner) {
			line += paint(output.Faint, " ("+owner+")")
		}
		lines = append(lines, line)
		indent := strings.Repeat(" ", width+6)
		for _, d := range s.Details {
			lines = append(lines, indent+paint(output.Faint, d))
		}
		if s.State == Failed || s.State == Undecided {
			for _, c := range s.Rejected {
				lines = append(lines, fmt.Sprintf("%s%s %s: %s", indent, paint(output.Bad, "✗"), c.Name, c.Why)+c.ownerSuffix(s.Owner))
			}
		} else if s.Name == "route" && len(s.Rejected) > 0 {
			lines = append(lines, s.before(indent, paint)...)
		}
	}
	return lines
}

// before are the routes that stand before the one that was taken; of many the last.
func (s *Step) before(indent string, paint func(output.Tone, string) string) []string {
	const most = 6
	var lines []string
	shown := s.Rejected
	if len(shown) > most {
		lines = append(lines, indent+paint(output.Faint, fmt.Sprintf("%d routes before these do not match either (-o wide)", len(shown)-most)))
		shown = shown[len(shown)-most:]
	}
	for _, c := range shown {
		lines = append(lines, indent+paint(output.Faint, fmt.Sprintf("not %s: %s", c.Name, c.Why)+c.ownerSuffix(s.Owner)))
	}
	return lines
}

// ownerSuffix names a candidate's owner where it is not the step's and not in
// its name already.
func (c *Candidate) ownerSuffix(other Resource) string {
	if c.Owner == other || c.Owner.Name == "" || strings.Contains(c.Name, c.Owner.Name) {
		return ""
	}
	return " (" + c.Owner.String() + ")"
}

func (s *Step) mark(paint func(output.Tone, string) string) string {
	switch s.State {
	case OK:
		return paint(output.Good, "✓")
	case Failed:
		return paint(output.Bad, "✗")
	case Undecided:
		return paint(output.Warn, "?")
	}
	return paint(output.Faint, "·")
}

// Tables is one row per step; wide adds what was not taken.
func (r *Report) Tables(bool) []output.Table {
	var tables []output.Table
	for _, w := range []*Walk{r.Client, r.Server} {
		if w == nil {
			continue
		}
		t := output.Table{Title: w.Side + " " + w.Proxy, Columns: []string{"STEP", "STATE", "WHAT", "OWNER"}, Tone: tone}
		for i := range w.Steps {
			s := &w.Steps[i]
			t.Rows = append(t.Rows, []string{s.Name, string(s.State), s.Text, s.Owner.String()})
			for _, d := range s.Details {
				t.Rows = append(t.Rows, []string{"", "", "  " + d, ""})
			}
			for _, c := range s.Rejected {
				t.Rows = append(t.Rows, []string{"", "", "  not " + c.Name + ": " + c.Why, c.Owner.String()})
			}
		}
		tables = append(tables, t)
	}
	if n := len(tables); n > 0 {
		tables[n-1].After = append([]string{"", r.Verdict}, r.Advice...)
	}
	return tables
}

func tone(_ int, cell string) output.Tone {
	switch State(cell) {
	case OK:
		return output.Good
	case Failed:
		return output.Bad
	case Undecided:
		return output.Warn
	}
	return output.Plain
}
