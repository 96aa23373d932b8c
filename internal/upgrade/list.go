package upgrade

import "github.com/meshctl/meshctl/internal/output"

// RuleList is the rules as a document.
type RuleList struct {
	Rules []*Rule `json:"rules"`
}

// List is all rules.
func List() (*RuleList, error) {
	rules, err := Rules()
	if err != nil {
		return nil, err
	}
	return &RuleList{Rules: rules}, nil
}

// DocumentKind is the kind of the list's JSON and YAML.
func (l *RuleList) DocumentKind() string { return "UpgradeRuleList" }

// Tables is the list for people; wide adds what to do and the public note.
func (l *RuleList) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"SINCE", "ID", "SEVERITY", "TITLE"}}
	if wide {
		t.Columns = append(t.Columns, "TODO", "LINK")
	}
	for _, r := range l.Rules {
		row := []string{r.Version, r.ID, string(r.Severity), r.Title}
		if wide {
			row = append(row, r.Todo, r.Link)
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}
