package analyze

import (
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/meshctl/meshctl/internal/mesh"
)

// homepage is where meshctl comes from.
const homepage = "https://github.com/meshctl/meshctl"

// writeSARIF writes the report as SARIF 2.1.0: every check that ran is a rule,
// what was suppressed is a result that says so, and safe fixes are fixes.
func (r *Report) writeSARIF(w io.Writer) error {
	run := sarif.NewRunWithInformationURI("meshctl", homepage)
	run.WithColumnKind("unicodeCodePoints")
	index := map[string]int{}
	for i, c := range r.checks {
		index[c.Name] = i
		run.Tool.Driver.AddRule(rule(c))
	}
	result := func(f *Finding) *sarif.Result {
		res := sarifResult(f)
		if i, known := index[f.Check]; known {
			res.WithRuleIndex(i)
		}
		return res
	}
	for _, f := range r.Findings {
		run.AddResult(result(f))
	}
	for _, s := range r.silenced {
		s.finding.locate()
		run.AddResult(result(s.finding).WithSuppressions([]*sarif.Suppression{
			sarif.NewSuppression().WithKind(s.kind()).WithJustification(s.by),
		}))
	}
	run.AddInvocation(r.invocation())
	report := sarif.NewReport().AddRun(run)
	return report.PrettyWrite(w)
}

// rule is a check as SARIF has it. Its id begins with the code, which several
// checks may share, and ends with the check's own name.
func rule(c *Check) *sarif.ReportingDescriptor {
	tags := []string{"istio", c.Code}
	tags = append(tags, c.KialiCodes()...)
	text := c.Doc.What + " " + c.Doc.Why + "\n\n" + c.Doc.Fix
	markdown := fmt.Sprintf("%s\n\n%s\n\n**Fix:** %s\n\n`meshctl explain %s` shows examples.", c.Doc.What, c.Doc.Why, c.Doc.Fix, c.Name)
	d := sarif.NewRule(ruleID(c.Code, c.Name)).
		WithName(pascal(c.Name)).
		WithHelpURI(c.HelpURL()).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(level(c.Severity))).
		WithProperties(sarif.NewPropertyBag().WithTags(tags))
	d.WithShortDescription(sarif.NewMultiformatMessageString().WithText(firstSentence(c.Doc.What)))
	d.WithFullDescription(sarif.NewMultiformatMessageString().WithText(c.Doc.What + " " + c.Doc.Why))
	return d.WithHelp(sarif.NewMultiformatMessageString().WithText(text).WithMarkdown(markdown))
}

func ruleID(code, check string) string { return code + "/" + check }

func sarifResult(f *Finding) *sarif.Result {
	text := f.Message
	if f.Fix != "" {
		text += " (fix: " + f.Fix + ")"
	}
	res := sarif.NewRuleResult(ruleID(f.Code, f.Check)).
		WithLevel(level(f.Severity)).
		WithMessage(sarif.NewTextMessage(text)).
		WithLocations([]*sarif.Location{sarifLocation(f.Object, f.Field, f.Position)}).
		WithPartialFingerprints(map[string]string{"meshctl/v1": f.Fingerprint()})
	for _, rel := range f.Related {
		res.AddRelatedLocation(sarifLocation(rel.Object, rel.Field, rel.Position).WithMessage(sarif.NewTextMessage(rel.Object.String() + " " + rel.Note)))
	}
	if len(f.Edits) > 0 {
		res.WithFixes([]*sarif.Fix{sarifFix(f)})
	}
	return res
}

// sarifLocation is an object and its field, and where they stand in a file.
func sarifLocation(o Object, field string, p *mesh.Position) *sarif.Location {
	name := strings.TrimSpace(o.String())
	if o.Cluster != "" {
		name = o.Cluster + ": " + name
	}
	if field != "" {
		name += " " + field
	}
	logical := sarif.NewLogicalLocation().WithFullyQualifiedName(name).WithKind("resource")
	at := sarif.NewLocation().WithLogicalLocations([]*sarif.LogicalLocation{logical})
	if p == nil {
		return at
	}
	physical := sarif.NewPhysicalLocation().WithArtifactLocation(artifact(p.File))
	if p.Line > 0 {
		physical.WithRegion(sarif.NewRegion().WithStartLine(p.Line).WithStartColumn(max(p.Column, 1)))
	}
	return at.WithPhysicalLocation(physical)
}

func artifact(file string) *sarif.ArtifactLocation {
	path := filepath.ToSlash(filepath.Clean(file))
	u := url.URL{Path: path}
	if filepath.IsAbs(file) {
		u.Scheme = "file"
	}
	if file == "-" {
		u.Path = "stdin"
	}
	return sarif.NewSimpleArtifactLocation(u.String())
}

// sarifFix is the finding's edits.
func sarifFix(f *Finding) *sarif.Fix {
	fix := sarif.NewFix().WithDescription(sarif.NewTextMessage(f.Fix))
	byFile := map[string]*sarif.ArtifactChange{}
	for _, e := range f.Edits {
		change := byFile[e.File]
		if change == nil {
			change = sarif.NewArtifactChange().WithArtifactLocation(artifact(e.File))
			byFile[e.File] = change
			fix.AddArtifactChange(change)
		}
		region := sarif.NewRegion().WithStartLine(e.Line).WithStartColumn(e.Column).WithEndLine(e.EndLine).WithEndColumn(e.EndColumn)
		change.AddReplacement(sarif.NewReplacement().WithDeletedRegion(region).WithInsertedContent(sarif.NewArtifactContent().WithText(e.New)))
	}
	return fix
}

// invocation tells what could not be read or run.
func (r *Report) invocation() *sarif.Invocation {
	in := sarif.NewInvocation().WithExecutionSuccessful(true)
	note := func(level, text string) {
		n := sarif.NewNotification().WithMessage(sarif.NewTextMessage(text))
		n.Level = level
		in.AddToolExecutionNotification(n)
	}
	for _, b := range r.Broken {
		note("error", fmt.Sprintf("%s: cannot be read: %s", b.Position, b.Reason))
	}
	for _, s := range r.SkippedChecks {
		note("warning", fmt.Sprintf("skipped %s: %s", s.Check, s.Reason))
	}
	return in
}

func level(s Severity) string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "note"
}

// pascal is a name in kebab-case as SARIF likes it: MissingHost.
func pascal(name string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, ". ")
	return strings.TrimSuffix(first, ".")
}
