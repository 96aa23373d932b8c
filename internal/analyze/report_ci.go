package analyze

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/meshctl/meshctl/internal/output"
)

// The formats that a report has besides the common ones.
const (
	AsSARIF  output.Format = "sarif"  // SARIF 2.1.0, for code scanning and editors
	AsJUnit  output.Format = "junit"  // a test case per check
	AsGitHub output.Format = "github" // annotations, as a workflow prints them
	AsGitLab output.Format = "gitlab" // a code quality report
)

// Formats are those formats.
func Formats() []output.Format { return []output.Format{AsSARIF, AsJUnit, AsGitHub, AsGitLab} }

// Encode writes the report in one of its own formats; see [output.Encoder].
func (r *Report) Encode(w io.Writer, format output.Format) (known bool, err error) {
	switch format {
	case AsSARIF:
		return true, r.writeSARIF(w)
	case AsJUnit:
		return true, r.writeJUnit(w)
	case AsGitHub:
		return true, r.writeGitHub(w)
	case AsGitLab:
		return true, r.writeGitLab(w)
	}
	return false, nil
}

// writeGitHub writes a workflow command per finding.
func (r *Report) writeGitHub(w io.Writer) error {
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	var b strings.Builder
	for _, f := range r.Findings {
		command := map[Severity]string{Error: "error", Warning: "warning"}[f.Severity]
		if command == "" {
			command = "notice"
		}
		var properties []string
		if f.Position != nil {
			properties = append(properties, "file="+property.Replace(f.Position.File))
			if f.Position.Line > 0 {
				properties = append(properties, fmt.Sprintf("line=%d,col=%d", f.Position.Line, f.Position.Column))
			}
		}
		properties = append(properties, "title="+property.Replace(f.Code+" "+f.Check))
		fmt.Fprintf(&b, "::%s %s::%s\n", command, strings.Join(properties, ","), data.Replace(f.line()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// line is the finding in a sentence, its place left out.
func (f *Finding) line() string {
	text := f.Message
	if f.Field != "" {
		text = f.Field + ": " + text
	}
	if name := strings.TrimSpace(f.Object.String()); name != "" {
		text = name + ": " + text
	}
	if f.Fix != "" {
		text += "; fix: " + f.Fix
	}
	return text
}

// writeGitLab writes GitLab's code quality report.
func (r *Report) writeGitLab(w io.Writer) error {
	type lines struct {
		Begin int `json:"begin"`
	}
	type location struct {
		Path  string `json:"path"`
		Lines lines  `json:"lines"`
	}
	type issue struct {
		Description string   `json:"description"`
		CheckName   string   `json:"check_name"`
		Fingerprint string   `json:"fingerprint"`
		Severity    string   `json:"severity"`
		Location    location `json:"location"`
	}
	issues := []issue{}
	twins := map[string]int{}
	for _, f := range r.Findings {
		at := location{Path: strings.TrimSpace(f.Object.Cluster + " " + f.Object.String()), Lines: lines{Begin: 1}}
		if f.Position != nil {
			at = location{Path: f.Position.File, Lines: lines{Begin: max(f.Position.Line, 1)}}
		}
		print := f.Fingerprint()
		if twins[print]++; twins[print] > 1 {
			print = fmt.Sprintf("%s-%d", print, twins[print])
		}
		severity := map[Severity]string{Error: "major", Warning: "minor", Info: "info"}[f.Severity]
		issues = append(issues, issue{f.line(), f.Code + " " + f.Check, print, severity, at})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(issues)
}

// writeJUnit writes a test case per check, so that one sees what passed: it
// fails by findings at or above --fail-on, and is skipped when the check could not run
// or all it found is suppressed. Documents that cannot be read are errors.
func (r *Report) writeJUnit(w io.Writer) error {
	suite := junit.Testsuite{Name: "meshctl analyze", Time: "0"}
	found := map[string][]*Finding{}
	for _, f := range r.kept {
		found[f.Check] = append(found[f.Check], f)
	}
	silenced := map[string][]string{}
	for _, s := range r.silenced {
		silenced[s.finding.Check] = append(silenced[s.finding.Check], fmt.Sprintf("%s: %s", s.finding.Object, s.by))
	}
	for _, c := range r.checks {
		suite.AddTestcase(r.testcase(c, found[c.Name], silenced[c.Name]))
	}
	for _, s := range r.SkippedChecks {
		suite.AddTestcase(junit.Testcase{Classname: s.Code, Name: s.Check, Skipped: &junit.Result{Message: s.Reason}})
	}
	for _, b := range r.Broken {
		suite.AddTestcase(junit.Testcase{Classname: "input", Name: b.Position.String(), Error: &junit.Result{Message: "cannot be read: " + b.Reason, Type: "unreadable"}})
	}
	suites := junit.Testsuites{Name: "meshctl analyze"}
	suites.AddSuite(suite)
	return suites.WriteXML(w)
}

func (r *Report) testcase(c *Check, found []*Finding, silenced []string) junit.Testcase {
	test := junit.Testcase{Classname: c.Code, Name: c.Name}
	failOn := r.failOn
	if failOn == "" {
		failOn = Error
	}
	var failing, milder []string
	worst := Info
	for _, f := range found {
		line := string(f.Severity) + ": " + f.line()
		if at := place(f.Object, f.Position); at != "" {
			line = at + ": " + line
		}
		if !f.Severity.AtLeast(failOn) {
			milder = append(milder, line)
			continue
		}
		failing = append(failing, line)
		if f.Severity.AtLeast(worst) {
			worst = f.Severity
		}
	}
	switch {
	case len(failing) > 0:
		test.Failure = &junit.Result{Message: plural(len(failing), "finding"), Type: string(worst), Data: strings.Join(append(failing, milder...), "\n")}
	case len(milder) > 0:
		test.SystemOut = &junit.Output{Data: strings.Join(milder, "\n")}
	case len(silenced) > 0:
		test.Skipped = &junit.Result{Message: plural(len(silenced), "finding") + " suppressed", Data: strings.Join(silenced, "\n")}
	}
	return test
}
