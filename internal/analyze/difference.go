package analyze

import (
	"fmt"
	"slices"
	"time"

	"github.com/meshctl/meshctl/internal/output"
)

// Difference is what changed between two runs over the same input.
type Difference struct {
	// Time is when the later run ended.
	Time time.Time `json:"time"`
	// Summary is that of the whole later report.
	Summary Summary `json:"summary"`
	// New are findings that the earlier run did not have, Gone those that it had.
	New  []*Finding `json:"new"`
	Gone []*Finding `json:"gone"`
	// SkippedChecks, Broken and Clusters are the later report's. What could not be
	// judged because of them is not gone.
	SkippedChecks []SkippedCheck `json:"skippedChecks"`
	Broken        []Broken       `json:"broken"`
	Clusters      []ClusterState `json:"clusters"`

	report *Report
}

// History compares the reports of one run after another.
type History struct{ standing []*Finding }

// Next is what a report changes, by its findings' fingerprints. What it shows
// is compared: not what is suppressed, in the baseline or below the threshold.
func (h *History) Next(r *Report, now time.Time) *Difference {
	d := &Difference{
		Time: now.UTC().Truncate(time.Second), Summary: r.Summary, New: []*Finding{}, Gone: []*Finding{},
		SkippedChecks: r.SkippedChecks, Broken: r.Broken, Clusters: r.Clusters, report: r,
	}
	known := FingerprintsOf(h.standing)
	for _, f := range r.Findings {
		if !known.Take(f) {
			d.New = append(d.New, f)
		}
	}
	standing := slices.Clone(r.Findings)
	for _, f := range h.standing {
		switch {
		case !known.Take(f): // it is in the report
		case r.leavesOpen(f):
			standing = append(standing, f)
		default:
			d.Gone = append(d.Gone, f)
		}
	}
	h.standing = standing
	return d
}

// leavesOpen says whether the report does not have a finding because it could
// not look: its file, check or cluster could not be read this time.
func (r *Report) leavesOpen(f *Finding) bool {
	return slices.ContainsFunc(r.Broken, func(b Broken) bool { return f.Position != nil && b.Position.File == f.Position.File }) ||
		slices.ContainsFunc(r.SkippedChecks, func(s SkippedCheck) bool { return s.Check == f.Check && s.Cluster == f.Object.Cluster }) ||
		slices.ContainsFunc(r.Missing(), func(c ClusterState) bool { return c.Name == f.Object.Cluster })
}

// String counts what changed: "1 new, 2 gone".
func (d *Difference) String() string {
	if len(d.New)+len(d.Gone) == 0 {
		return "nothing new, nothing gone"
	}
	return fmt.Sprintf("%d new, %d gone", len(d.New), len(d.Gone))
}

// DocumentKind is the kind of the difference's JSON and YAML.
func (d *Difference) DocumentKind() string { return "AnalysisDifference" }

// Text is the difference for people: the report's blocks, marked.
func (d *Difference) Text(paint func(output.Tone, string) string) []string {
	var lines []string
	for _, f := range d.New {
		block := d.report.block(f, paint)
		block[0] = paint(output.Bad, "new ") + "  " + block[0]
		lines = append(lines, block...)
	}
	for _, f := range d.Gone {
		block := d.report.block(f, paint)
		lines = append(lines, paint(output.Good, "gone")+"  "+block[0], block[1])
	}
	return lines
}

// Tables is the difference with one line per finding, for -o wide.
func (d *Difference) Tables(wide bool) []output.Table {
	if len(d.New)+len(d.Gone) == 0 {
		return nil
	}
	t := d.report.Tables(wide)[0]
	t.Columns, t.Rows = append([]string{"CHANGE"}, t.Columns...), nil
	of := t.Tone
	t.Tone = func(column int, cell string) output.Tone { return of(column-1, cell) }
	for _, f := range d.New {
		t.Rows = append(t.Rows, append([]string{"new"}, f.row()...))
	}
	for _, f := range d.Gone {
		t.Rows = append(t.Rows, append([]string{"gone"}, f.row()...))
	}
	return []output.Table{t}
}
