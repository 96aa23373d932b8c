package revision

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
)

// List is the revisions and tags of a cluster, for people and tools.
type List struct {
	Namespace string     `json:"namespace"`
	Tags      []Tag      `json:"tags"`
	Revisions []Revision `json:"revisions"`
	// Skipped are the kinds that could not be read.
	Skipped []string `json:"skipped"`
}

// List is the state as it is printed.
func (s *State) List() *List {
	return &List{
		Namespace: s.Namespace, Tags: append([]Tag{}, s.Tags...), Revisions: append([]Revision{}, s.Revisions...),
		Skipped: append([]string{}, s.Skipped...),
	}
}

// DocumentKind names the JSON and YAML form.
func (l *List) DocumentKind() string { return "TagList" }

// Tables has a line per tag, and one per revision at which none points.
func (l *List) Tables(wide bool) []output.Table {
	t := output.Table{Columns: []string{"TAG", "REVISION", "NAMESPACES"}, Empty: "there are no revisions in namespace " + l.Namespace}
	if wide {
		t.Columns = append(t.Columns, "PODS", "WEBHOOK", "SERVICE")
	}
	row := func(tag, revision string, u Users, more ...string) {
		cells := []string{tag, revision, strings.Join(u.Namespaces, ",")}
		if wide {
			cells = append(append(cells, strconv.Itoa(u.Pods)), more...)
		}
		t.Rows = append(t.Rows, cells)
	}
	for _, tag := range l.Tags {
		row(tag.Name, tag.Revision, tag.Users, cmp.Or(tag.Webhook, "<none>"), cmp.Or(tag.Service, "<none>"))
	}
	for _, r := range l.Revisions {
		if len(r.Tags) == 0 || len(r.Namespaces) > 0 || r.Pods > 0 {
			row("<none>", r.Name, r.Users, cmp.Or(r.Injector, "<none>"), "<none>")
		}
	}
	return []output.Table{t}
}

// ChangeReport is what was done to a tag or, in a dry run, would be.
type ChangeReport struct {
	Tag      string `json:"tag"`
	Revision string `json:"revision,omitempty"`
	Previous string `json:"previousRevision,omitempty"`
	Users
	DryRun  string          `json:"dryRun,omitempty"`
	Objects []ChangedObject `json:"objects"`
}

// ChangedObject is one object of a change.
type ChangedObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	Action     Action `json:"action"`
	Done       bool   `json:"done"`
}

// Report is how the change stands.
func (c *Change) Report() *ChangeReport {
	r := &ChangeReport{Tag: c.Tag, Revision: c.Revision, Previous: c.Previous, Users: c.Users, Objects: []ChangedObject{}}
	if r.Namespaces == nil {
		r.Namespaces = []string{}
	}
	for _, s := range c.Steps {
		r.Objects = append(r.Objects, ChangedObject{
			APIVersion: s.Object.GetAPIVersion(), Kind: s.Object.GetKind(), Namespace: s.Object.GetNamespace(), Name: s.Object.GetName(),
			Action: s.Action, Done: s.Done || s.Action == Keep,
		})
	}
	return r
}

// DocumentKind names the JSON and YAML form.
func (r *ChangeReport) DocumentKind() string { return "TagReport" }

// Tables has a line per object.
func (r *ChangeReport) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"KIND", "NAMESPACE", "NAME", "ACTION"}, Empty: "nothing to do"}
	for _, o := range r.Objects {
		t.Rows = append(t.Rows, []string{o.Kind, o.Namespace, o.Name, string(o.Action)})
	}
	return []output.Table{t}
}
