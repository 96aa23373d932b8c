package cmd

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

func newExplainCmd(f *Factory) *cobra.Command {
	var out *outputFlags
	c := &cobra.Command{
		Use:   "explain CODE|CHECK",
		Short: "Explain a finding of analyze: what it is, why it matters, how to mend it",
		Long: `explain tells what a code or check of analyze finds, what happens in the mesh
because of it, and how to mend it, with an example that is wrong and one that is
right. It needs no cluster.`,
		Example: `  # Everything that IST0101 can mean
  meshctl explain IST0101

  # One check
  meshctl explain missing-subset

  # What Kiali calls KIA1107
  meshctl explain KIA1107`,
		GroupID: groupConfig,
		Args:    exactArgs("a code such as IST0101, or the name of a check"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var words []string
			for _, c := range checks.Known() {
				words = append(words, c.Code+"\t"+c.Name, c.Name+"\t"+c.Code)
			}
			return words, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			selected, unknownWord := analyze.Select(checks.Known(), args, nil)
			if unknownWord != "" {
				if peers := explainPeer(unknownWord); peers != nil {
					return f.print(out, peers)
				}
				return hint.Usagef(checkHint(unknownWord), "there is no check %q", unknownWord)
			}
			return f.print(out, explain(selected))
		},
	}
	out = addOutput(c)
	return c
}

// explainPeer is what there is to say of a code without a check; nil when
// nobody has it.
func explainPeer(word string) *explanation {
	code := strings.ToUpper(word)
	x := explainedCheck{Code: code, Name: "no-check", Reads: []string{}, Uses: []string{}, Sources: []string{}}
	answer := peerAnswer(word)
	switch {
	case code == analyze.InternalError:
		x.Name, x.Severity = "internal-error", analyze.Error
		x.What = "A check failed inside while it looked at an object; the message names the check."
		x.Why = "What that check would have said of this object is not known. All other checks ran."
		x.Fix = "Report it at https://github.com/meshctl/meshctl/issues with the object; --skip leaves the check out until then."
	case answer == "":
		return nil
	default:
		x.What = "No check of meshctl has this code. " + strings.ToUpper(answer[:1]) + answer[1:] + "."
		x.Why = "It is known here so that nobody looks for it in vain."
		x.Fix = "Nothing is to be done."
	}
	if strings.HasPrefix(code, "IST") {
		x.Sources = append(x.Sources, "https://istio.io/latest/docs/reference/config/analysis/"+strings.ToLower(code)+"/")
	}
	return &explanation{Checks: []explainedCheck{x}}
}

// peerAnswer is what there is to say of a code of istioctl's or Kiali's that
// has no check.
func peerAnswer(word string) string {
	for _, c := range slices.Concat(checks.IstioctlCodes(), checks.KialiCodes()) {
		if !strings.EqualFold(c.Code, word) {
			continue
		}
		switch {
		case c.Instead != "":
			return c.Instead
		case c.Unused == "precheck":
			return "`meshctl precheck` finds it"
		}
		return map[string]string{"retired": "istioctl retired it", "never emitted": "istioctl has it and never emits it", "never used": "istioctl has it and never uses it"}[c.Unused]
	}
	return ""
}

// explanation is what explain prints.
type explanation struct {
	Checks []explainedCheck `json:"checks"`
}

type explainedCheck struct {
	Code     string           `json:"code"`
	Name     string           `json:"name"`
	Severity analyze.Severity `json:"severity"`
	Kiali    string           `json:"kiali,omitempty"`
	What     string           `json:"what"`
	Why      string           `json:"why"`
	Fix      string           `json:"fix"`
	// Reads are the kinds that the check is about, Uses those that it looks up as well.
	Reads []string `json:"reads"`
	Uses  []string `json:"uses"`
	// Sources are where the rule is written down: a page of Istio's or Kiali's,
	// and public issues that its cases are about.
	Sources  []string `json:"sources"`
	Bad      string   `json:"bad,omitempty"`
	Reported string   `json:"reported,omitempty"`
	Good     string   `json:"good,omitempty"`
}

func explain(selected []*analyze.Check) *explanation {
	e := &explanation{Checks: []explainedCheck{}}
	for _, c := range selected {
		x := explainedCheck{Code: c.Code, Name: c.Name, Severity: c.Severity, Kiali: c.KIA, What: c.Doc.What, Why: c.Doc.Why, Fix: c.Doc.Fix}
		x.Sources = sources(c)
		listed := analyze.List([]*analyze.Check{c}).Checks[0]
		x.Reads, x.Uses = listed.Reads, listed.Uses
		if bad, good, ok := checks.Examples(c.Name); ok {
			x.Bad, x.Reported, x.Good = exampleText(bad), bad.Want, exampleText(good)
		}
		e.Checks = append(e.Checks, x)
	}
	return e
}

// sources are where the rule of a check is written down.
func sources(c *analyze.Check) []string {
	from := []string{c.HelpURL()}
	if len(c.KialiCodes()) > 0 {
		from = append(from, "https://kiali.io/docs/features/validations/ ("+strings.Join(c.KialiCodes(), ", ")+")")
	}
	return append(from, checks.Issues(c.Name)...)
}

// exampleText is an example's files, each under its name when it is not alone.
func exampleText(e checks.Example) string {
	var b strings.Builder
	for _, f := range e.Files {
		b.WriteString("# " + f.Name + "\n" + string(f.Data))
	}
	return b.String()
}

// DocumentKind is the kind of the explanation's JSON and YAML.
func (e *explanation) DocumentKind() string { return "Explanation" }

// Tables is the explanation with a line per check, for -o wide.
func (e *explanation) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"CODE", "NAME", "SEVERITY", "WHAT", "WHY", "FIX"}}
	for _, c := range e.Checks {
		t.Rows = append(t.Rows, []string{c.Code, c.Name, string(c.Severity), c.What, c.Why, c.Fix})
	}
	return []output.Table{t}
}

// explainWidth is the width of the explanation's text in columns.
const explainWidth = 80

// Text is the explanation as a page to read.
func (e *explanation) Text(paint func(output.Tone, string) string) []string {
	var lines []string
	for i, c := range e.Checks {
		if i > 0 {
			lines = append(lines, "")
		}
		head := c.Code + "  " + c.Name + "  " + string(c.Severity)
		if c.Kiali != "" {
			head += "  (Kiali: " + c.Kiali + ")"
		}
		lines = append(lines, paint(output.Good, head), "")
		for _, part := range [][2]string{{"What", c.What}, {"Why", c.Why}, {"Fix", c.Fix}} {
			lines = append(lines, wrap(part[0]+": "+part[1], explainWidth)...)
		}
		if kinds := slices.Concat(c.Reads, c.Uses); len(kinds) > 0 {
			lines = append(lines, wrap("Reads: "+strings.Join(kinds, ", "), explainWidth)...)
		}
		for i, source := range c.Sources {
			lines = append(lines, []string{"See: ", "  "}[min(i, 1)]+source)
		}
		if c.Bad != "" {
			lines = append(append(lines, "", "Wrong:", ""), indent(c.Bad)...)
			lines = append(append(lines, "", "analyze says:", ""), indent(c.Reported)...)
			lines = append(append(lines, "", "Right:", ""), indent(c.Good)...)
		}
	}
	return lines
}

func indent(text string) []string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight("    "+line, " ")
	}
	return lines
}

// wrap breaks text into lines of at most width columns, where words allow.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = "  " + word
			continue
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
