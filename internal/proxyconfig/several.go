package proxyconfig

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// Unread is a proxy whose configuration could not be read.
type Unread struct {
	Proxy string `json:"proxy"`
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

// Several are the results of several proxies as one document.
type Several struct {
	// Proxies are the documents, one for each proxy that answered.
	Proxies []output.Document `json:"proxies"`
	Failed  []Unread          `json:"failed"`

	names []string
	kind  string
}

// Add adds the result of a proxy.
func (s *Several) Add(proxy string, d output.Document) {
	s.Proxies, s.names, s.kind = append(s.Proxies, d), append(s.names, proxy), d.DocumentKind()
}

// DocumentKind is the kind of the JSON and YAML document: that of the single
// ones with "List" behind it.
func (s *Several) DocumentKind() string { return s.kind + "List" }

// Tables are those of the proxies, each merged into one with a column PROXY.
func (s *Several) Tables(wide bool) []output.Table {
	var merged []output.Table
	for i, d := range s.Proxies {
		for _, t := range d.Tables(wide) {
			columns := append([]string{"PROXY"}, t.Columns...)
			at := slices.IndexFunc(merged, func(m output.Table) bool { return m.Title == t.Title && slices.Equal(m.Columns, columns) })
			if at < 0 {
				at = len(merged)
				merged = append(merged, output.Table{Title: t.Title, Columns: columns, Tone: shifted(t.Tone)})
			}
			m := &merged[at]
			for _, row := range t.Rows {
				m.Rows = append(m.Rows, append([]string{s.names[i]}, row...))
			}
			if len(t.Rows) == 0 && t.Empty != "" {
				m.After = append(m.After, s.names[i]+": "+t.Empty)
			}
			m.After = append(m.After, remarks(s.names[i], t.After)...)
		}
	}
	for i := range merged {
		if len(merged[i].Rows) == 0 {
			merged[i].Columns = nil // what is missing is said below
		} else if len(merged[i].After) > 0 && merged[i].After[0] != "" {
			merged[i].After = append([]string{""}, merged[i].After...)
		}
	}
	return merged
}

// shifted is a tone for a table that got a column in front.
func shifted(tone func(int, string) output.Tone) func(int, string) output.Tone {
	if tone == nil {
		return nil
	}
	return func(column int, cell string) output.Tone { return tone(column-1, cell) }
}

// remarks are the lines below one proxy's table, with its name.
func remarks(proxy string, lines []string) []string {
	var out []string
	for _, line := range lines {
		switch {
		case line == "", strings.HasPrefix(line, " "):
			out = append(out, line)
		default:
			out = append(out, proxy+": "+line)
		}
	}
	return out
}
