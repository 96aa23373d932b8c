package analyze

import (
	"regexp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

// CheckList is the list of checks as a document.
type CheckList struct {
	Checks []ListedCheck `json:"checks"`
}

// ListedCheck is what the list says of a check.
type ListedCheck struct {
	Code     string   `json:"code"`
	Name     string   `json:"name"`
	Severity Severity `json:"severity"`
	Kiali    string   `json:"kiali,omitempty"`
	What     string   `json:"what"`
	// Reads are the kinds that the check is about, Uses those that it looks up as well.
	Reads []string `json:"reads"`
	Uses  []string `json:"uses"`
}

// List is the list of checks.
func List(checks []*Check) *CheckList {
	list := &CheckList{Checks: []ListedCheck{}}
	for _, c := range checks {
		list.Checks = append(list.Checks, ListedCheck{Code: c.Code, Name: c.Name, Severity: c.Severity, Kiali: c.KIA, What: c.Doc.What, Reads: kindNames(c.Reads), Uses: kindNames(c.Uses)})
	}
	return list
}

// DocumentKind is the kind of the list's JSON and YAML.
func (l *CheckList) DocumentKind() string { return "CheckList" }

// Tables is the list for people; wide says what each check finds.
func (l *CheckList) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"CODE", "NAME", "SEVERITY"}}
	if wide {
		t.Columns = append(t.Columns, "KIALI", "READS", "WHAT")
	}
	for _, c := range l.Checks {
		row := []string{c.Code, c.Name, string(c.Severity)}
		if wide {
			row = append(row, c.Kiali, strings.Join(append(slices.Clone(c.Reads), c.Uses...), ","), c.What)
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}

func kindNames(kinds []mesh.Kind) []string {
	names := []string{}
	for _, k := range kinds {
		names = append(names, k.String())
	}
	return names
}

// IsCode says whether a word looks like a code: one that a newer version, or
// istioctl, may know.
func IsCode(word string) bool { return codeForm.MatchString(word) }

var codeForm = regexp.MustCompile(`^(?i:IST|MSH|KIA)\d{4}$`)
