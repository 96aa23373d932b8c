package diff

import (
	"fmt"
	"strconv"

	"github.com/meshctl/meshctl/internal/output"
)

// Served is how what istiod would send to a proxy differs from what its Envoy has.
type Served struct {
	*Report
}

// CompareServed compares what istiod would send with what Envoy has of it.
func CompareServed(istiod, envoy Side) (*Served, error) {
	r, err := Compare(istiod, envoy, Options{Served: true})
	if err != nil {
		return nil, err
	}
	return &Served{r}, nil
}

// Tables are one row for each section, and the differences below.
func (s *Served) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"SECTION", "STATE", "ISTIOD SENDS", "ENVOY HAS", "DIFFERENCES"},
		Tone: func(column int, cell string) output.Tone {
			switch {
			case column == 1 && cell == "DIFFER":
				return output.Bad
			case column == 1 && cell == "MATCH":
				return output.Good
			}
			return output.Plain
		},
	}
	for _, section := range s.Sections {
		state, differences := "MATCH", "-"
		switch {
		case section.Skipped != "":
			state, differences = "UNKNOWN", section.Skipped
		case section.Differs():
			state, differences = "DIFFER", section.counts()
		case section.A+section.B == 0:
			state = "-"
		}
		t.Rows = append(t.Rows, []string{section.Name, state, strconv.Itoa(section.A), strconv.Itoa(section.B), differences})
	}
	tables := []output.Table{t}
	if s.Same {
		return tables
	}
	if wide {
		return append(tables, s.Report.Tables(wide)...)
	}
	plain := func(_ output.Tone, s string) string { return s }
	return append(tables, output.Table{After: s.Text(plain)})
}

// counts are how many elements differ, as Envoy's compared with istiod's.
func (s Section) counts() string {
	text := ""
	for _, c := range []struct {
		n    int
		what string
	}{{s.Removed, "not in Envoy"}, {s.Added, "only in Envoy"}, {s.Changed, "changed"}} {
		if c.n == 0 {
			continue
		}
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", c.n, c.what)
	}
	return text
}
