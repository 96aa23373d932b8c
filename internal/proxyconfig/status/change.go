package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

// History compares each report with the one before.
type History struct{ last []Finding }

// Difference is what has changed since the last report.
type Difference struct {
	Time time.Time `json:"time"`
	// InSync, Complete and Summary are those of the whole.
	InSync   bool      `json:"inSync"`
	Complete bool      `json:"complete"`
	Summary  Summary   `json:"summary"`
	New      []Finding `json:"new"`
	Gone     []Finding `json:"gone"`

	report *Report
}

// Next is what a report changes. What could not be looked at this time is not
// gone: it stays as it was.
func (h *History) Next(r *Report) *Difference {
	d := &Difference{Time: r.Time, InSync: r.InSync, Complete: r.Complete, Summary: r.Summary, New: []Finding{}, Gone: []Finding{}, report: r}
	before, now := map[string]bool{}, map[string]bool{}
	for _, f := range h.last {
		before[f.key()] = true
	}
	for _, f := range r.Problems {
		now[f.key()] = true
		if !before[f.key()] {
			d.New = append(d.New, f)
		}
	}
	last := slices.Clone(r.Problems)
	for _, f := range h.last {
		switch {
		case now[f.key()]:
		case r.sees(&f):
			d.Gone = append(d.Gone, f)
		default:
			last = append(last, f)
		}
	}
	h.last = last
	return d
}

// key is what makes a finding the same as one before.
func (f *Finding) key() string {
	return strings.Join([]string{string(f.Problem), f.Name, f.Namespace, f.Cluster, f.Context, strings.Join(f.Types, ","), f.Cause}, "\x00")
}

// sees says whether a finding would be in the report if it were still so.
func (r *Report) sees(f *Finding) bool {
	if slices.ContainsFunc(r.Clusters, func(c ClusterState) bool { return c.Context == f.Context && !c.Read }) {
		return false
	}
	if slices.ContainsFunc(r.Undecided, func(u Undecided) bool {
		return slices.Contains(u.Problems, f.Problem) && (u.Context == "" || u.Context == f.Context)
	}) {
		return false
	}
	failed := func(i proxyconfig.IstiodSync) bool { return i.Error != "" && (f.Istiod == "" || i.Name == f.Istiod) }
	return !slices.ContainsFunc(r.Istiods, failed)
}

// Empty says whether nothing has changed.
func (d *Difference) Empty() bool { return len(d.New) == 0 && len(d.Gone) == 0 }

// DocumentKind is the kind of the JSON and YAML document.
func (d *Difference) DocumentKind() string { return "ProxyStatusDifference" }

// Tables has one row per change.
func (d *Difference) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"TIME", "CHANGE", "PROBLEM", "NAME", "CLUSTER", "CAUSE"}, Tone: tone}
	row := func(change string, of []Finding) {
		for _, f := range of {
			t.Rows = append(t.Rows, []string{d.Time.Format(time.RFC3339), change, f.Problem.title(), f.id(), d.report.cluster(f.Cluster, f.Context), f.Cause})
		}
	}
	row("new", d.New)
	row("gone", d.Gone)
	return []output.Table{t}
}

// Wait knows which proxies have been in step since it was made, so that a mesh
// in which something is always being sent can be waited for.
type Wait struct{ seen map[string]bool }

// Left is what has to come into step yet, in words; "" when nothing has.
func (w *Wait) Left(r *Report) string {
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	flying := 0
	for i := range r.Proxies {
		p := &r.Proxies[i]
		key := p.ID() + "\x00" + p.Cluster
		if slices.ContainsFunc(p.Types, func(t proxyconfig.TypeSync) bool { return t.InFlight }) {
			if !w.seen[key] {
				flying++
			}
		} else if p.Worst() == proxyconfig.Synced {
			w.seen[key] = true
		}
	}
	var left []string
	for _, p := range Problems() {
		if n := r.Summary.Problems[p]; n > 0 && r.counts(p) {
			left = append(left, fmt.Sprintf("%d %s", n, p))
		}
	}
	if flying > 0 {
		left = append(left, fmt.Sprintf("%d with a push in flight", flying))
	}
	if n := r.Summary.Starting; n > 0 {
		left = append(left, fmt.Sprintf("%d starting", n))
	}
	for _, i := range r.Istiods {
		if i.Error != "" {
			left = append(left, "no answer from istiod "+i.Name)
		}
	}
	for _, c := range r.Clusters {
		if !c.Read {
			left = append(left, "cluster "+c.Context+" could not be read")
		}
	}
	return strings.Join(left, ", ")
}

// counts says whether a problem makes the answer no.
func (r *Report) counts(p Problem) bool { return p.Severity() == Grave || len(r.wish.Only) > 0 }
