package analyze

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

// Report is what an analysis found, and what it could not judge.
type Report struct {
	Summary  Summary    `json:"summary"`
	Findings []*Finding `json:"findings"`
	// SkippedChecks did not run, because a kind they need could not be read.
	SkippedChecks []SkippedCheck `json:"skippedChecks"`
	// Undecided counts what the input says too little of.
	Undecided []Undecided `json:"undecided"`
	// Broken are documents that could not be read.
	Broken []Broken `json:"broken"`
	// SkippedFiles hold no objects for a cluster.
	SkippedFiles []SkippedFile `json:"skippedFiles"`
	// Clusters are those that were to be analyzed; none of files alone.
	Clusters []ClusterState `json:"clusters"`
	// Fixed are findings of the cluster that the files would mend.
	Fixed []*Finding `json:"fixed"`

	// found are the findings before those below the threshold were left out.
	found []*Finding
	// kept are those that were not left out for another reason, such as a baseline.
	kept      []*Finding
	silenced  []silenced
	worst     Severity
	threshold Severity
	failOn    Severity
	// checks are those that ran.
	checks []*Check
}

// Summary counts a report's findings.
type Summary struct {
	Errors   int `json:"errors"`
	Warnings int `json:"warnings"`
	Infos    int `json:"infos"`
	// Suppressed findings are in no list.
	Suppressed int `json:"suppressed"`
	// Known are findings of the baseline, in no list either.
	Known int `json:"known"`
	// Elsewhere are findings in namespaces that were not asked for, in no list either.
	Elsewhere int `json:"elsewhere"`
	// Unchanged and Fixed are the cluster's findings that the files leave, and
	// those that they would mend.
	Unchanged int `json:"unchanged"`
	Fixed     int `json:"fixed"`
	// Objects and Checks are what was analyzed, and with how many checks.
	Objects int `json:"objects"`
	Checks  int `json:"checks"`
}

// SkippedCheck is a check that did not run.
type SkippedCheck struct {
	Code  string `json:"code"`
	Check string `json:"check"`
	// Cluster is where; empty for files.
	Cluster string `json:"cluster,omitempty"`
	Reason  string `json:"reason"`
}

// Undecided is a number of things that a check could not judge, because the
// input says nothing of a kind in a namespace (empty: in any).
type Undecided struct {
	Check     string `json:"check"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Count     int    `json:"count"`
}

// Broken is a document that could not be read.
type Broken struct {
	Position mesh.Position `json:"position"`
	Reason   string        `json:"reason"`
}

// SkippedFile is a file without objects for a cluster.
type SkippedFile struct {
	File string `json:"file"`
	// Line is where the document begins that was passed over; absent for a whole file.
	Line   int    `json:"line,omitempty"`
	Reason string `json:"reason"`
}

func newReport() *Report {
	return &Report{
		Findings: []*Finding{}, SkippedChecks: []SkippedCheck{}, Undecided: []Undecided{}, Broken: []Broken{}, SkippedFiles: []SkippedFile{},
		Clusters: []ClusterState{}, Fixed: []*Finding{},
	}
}

// collect sorts the findings of all passes into the report.
func (r *Report) collect(passes []*Pass, o Options) {
	s := newSilencer(passes, o)
	for _, p := range passes {
		for _, f := range p.findings {
			r.add(f, s)
		}
		for u, n := range p.unknown {
			r.Undecided = append(r.Undecided, Undecided{Check: p.check.Name, Kind: u.kind.String(), Namespace: u.namespace, Count: n})
		}
	}
	for _, f := range s.leftovers() {
		f.locate()
		r.found = append(r.found, f)
	}
	slices.SortFunc(r.found, compare)
	r.found = slices.CompactFunc(r.found, func(a, b *Finding) bool { return compare(a, b) == 0 })
	r.threshold, r.failOn = o.Threshold, o.FailOn
	r.show(r.found)
	slices.SortFunc(r.Undecided, func(a, b Undecided) int {
		return cmp.Or(strings.Compare(a.Check, b.Check), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Namespace, b.Namespace))
	})
}

func (r *Report) add(f *Finding, s *silencer) {
	by, suppressed := s.silences(f)
	switch {
	case !s.options.keeps(f.Object):
		if !suppressed {
			r.Summary.Elsewhere++
		}
		return
	case suppressed:
		r.Summary.Suppressed++
		r.silenced = append(r.silenced, silenced{f, by})
		return
	}
	f.locate()
	r.found = append(r.found, f)
}

// show makes these findings, in order, the report's: it counts them, and lists
// those at or above the threshold.
func (r *Report) show(findings []*Finding) {
	r.Findings, r.kept, r.worst = []*Finding{}, findings, ""
	r.Summary.Errors, r.Summary.Warnings, r.Summary.Infos = 0, 0, 0
	for _, f := range findings {
		r.Summary.count(f.Severity)
		if r.worst == "" || f.Severity.AtLeast(r.worst) {
			r.worst = f.Severity
		}
		if r.threshold == "" || f.Severity.AtLeast(r.threshold) {
			r.Findings = append(r.Findings, f)
		}
	}
}

// keeps says whether findings about an object belong in the report.
func (o Options) keeps(about Object) bool {
	switch {
	case o.Namespaces == nil:
		return true
	case about.Kind == mesh.Namespace.Kind:
		return slices.Contains(o.Namespaces, about.Name)
	}
	return about.Namespace == "" || slices.Contains(o.Namespaces, about.Namespace)
}

func (s *Summary) count(severity Severity) {
	switch severity {
	case Error:
		s.Errors++
	case Warning:
		s.Warnings++
	default:
		s.Infos++
	}
}

// Fails says whether some finding, shown or not, is at least this severe.
func (r *Report) Fails(at Severity) bool { return r.worst != "" && r.worst.AtLeast(at) }

// Count is the summary in a line: "2 errors, 1 warning".
func (s Summary) Count() string {
	var parts []string
	for _, p := range []struct {
		n    int
		name string
	}{{s.Errors, "error"}, {s.Warnings, "warning"}, {s.Infos, "info"}} {
		if p.n > 0 {
			parts = append(parts, plural(p.n, p.name))
		}
	}
	if len(parts) == 0 {
		return "no findings"
	}
	return strings.Join(parts, ", ")
}

// String is [Summary.Count] and what was analyzed.
func (s Summary) String() string {
	line := fmt.Sprintf("%s in %s, %s", s.Count(), plural(s.Objects, "object"), plural(s.Checks, "check"))
	if s.Elsewhere > 0 {
		line += fmt.Sprintf("; %d in other namespaces, -A shows them", s.Elsewhere)
	}
	if s.Unchanged > 0 {
		line += fmt.Sprintf("; %d that the files do not change", s.Unchanged)
	}
	if s.Fixed > 0 {
		line += fmt.Sprintf("; %d that the files would mend", s.Fixed)
	}
	if s.Known > 0 {
		line += fmt.Sprintf("; %d known from the baseline", s.Known)
	}
	if s.Suppressed > 0 {
		line += fmt.Sprintf("; %d suppressed", s.Suppressed)
	}
	return line
}

func plural(n int, noun string) string {
	if n == 1 || noun == "info" {
		return fmt.Sprintf("%d %s", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// DocumentKind is the kind of the report's JSON and YAML.
func (r *Report) DocumentKind() string { return "AnalysisReport" }

// Tables is the report with one line per finding, for -o wide.
func (r *Report) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"SEVERITY", "CODE", "OBJECT", "AT", "FIELD", "MESSAGE", "FIX"}}
	t.Tone = func(column int, cell string) output.Tone {
		if column == 0 {
			return tone(Severity(cell))
		}
		return output.Plain
	}
	for _, f := range r.Findings {
		t.Rows = append(t.Rows, f.row())
	}
	return []output.Table{t}
}

func (f *Finding) row() []string {
	return []string{string(f.Severity), f.Code, f.Object.String(), place(f.Object, f.Position), f.Field, f.Message, f.Fix}
}

// Text is the report for people: a block per finding, its first line to grep
// for, then what is wrong, where, and how to mend it.
func (r *Report) Text(paint func(output.Tone, string) string) []string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, r.block(f, paint)...)
	}
	return lines
}

// block is a finding for people.
func (r *Report) block(f *Finding, paint func(output.Tone, string) string) []string {
	head := []string{paint(tone(f.Severity), string(f.Severity)), f.Code}
	if f.Object.Name != "" {
		head = append(head, f.Object.String(), r.inCluster(f.Object))
	}
	head = append(head, filePlace(f.Position))
	if f.Change == Unchanged {
		head = append(head, "(unchanged)")
	}
	head = slices.DeleteFunc(head, func(s string) bool { return s == "" })
	message := f.Message
	if f.Field != "" {
		message = f.Field + ": " + message
	}
	lines := []string{strings.Join(head, "  "), "    " + message}
	for _, rel := range f.Related {
		line := fmt.Sprintf("    %s %s", rel.Object, rel.Note)
		if rel.Object.Cluster != f.Object.Cluster && r.inCluster(rel.Object) != "" {
			line += ", " + r.inCluster(rel.Object)
		}
		if p := filePlace(rel.Position); p != "" {
			line += ", at " + p
		}
		lines = append(lines, line)
	}
	if doubts := f.doubts(); doubts != "" {
		lines = append(lines, "    "+paint(output.Warn, "uncertain:")+" "+doubts)
	}
	if f.Fix != "" {
		lines = append(lines, "    "+paint(output.Good, "fix:")+" "+f.Fix)
	}
	return lines
}

// filePlace is a place in a file, empty for what no file holds.
func filePlace(p *mesh.Position) string {
	switch {
	case p == nil:
		return ""
	case p.Note != "":
		return p.String() + " (" + p.Note + ")"
	}
	return p.String()
}

// place is where a finding is: in a file, or in a cluster.
func place(o Object, p *mesh.Position) string {
	if p != nil {
		return p.String()
	}
	if o.Cluster != "" {
		return "in " + o.Cluster
	}
	return ""
}

func tone(s Severity) output.Tone {
	switch s {
	case Error:
		return output.Bad
	case Warning:
		return output.Warn
	}
	return output.Faint
}
