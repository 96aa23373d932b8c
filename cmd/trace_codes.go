package cmd

import (
	"cmp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
)

// everyCode is the value of --explain-code without one.
const everyCode = "all"

// addExplainCode gives trace the flag --explain-code, which answers offline
// and leaves everything else alone.
func addExplainCode(c *cobra.Command, f *Factory, out *outputFlags) {
	code := c.Flags().String("explain-code", "", "say what a flag or detail of an access log means, such as UF,URX; without one, list all")
	c.Flags().Lookup("explain-code").NoOptDefVal = everyCode
	_ = c.RegisterFlagCompletionFunc("explain-code", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var words []string
		for _, code := range trace.Codes() {
			words = append(words, code.Name+"\t"+code.Meaning)
		}
		return words, cobra.ShellCompDirectiveNoFileComp
	})
	args, run := c.Args, c.RunE
	asked := func(c *cobra.Command) bool { return c.Flags().Changed("explain-code") }
	c.Args = func(c *cobra.Command, words []string) error {
		if asked(c) {
			return nil
		}
		return args(c, words)
	}
	c.RunE = func(c *cobra.Command, words []string) error {
		if !asked(c) {
			return run(c, words)
		}
		if *code != everyCode {
			words = append([]string{*code}, words...)
		}
		if len(words) == 0 {
			return f.print(out, &codeList{allCodes()})
		}
		codes, err := trace.ExplainCodes(strings.Join(words, " "))
		if err != nil {
			return err
		}
		return f.print(out, &explainedCodes{codes})
	}
}

func allCodes() []trace.Explained {
	var all []trace.Explained
	for _, code := range trace.Codes() {
		all = append(all, trace.Explained{Code: code})
	}
	return all
}

// codeList is every code, one row each.
type codeList struct {
	Codes []trace.Explained `json:"codes"`
}

// DocumentKind is the kind of the JSON and YAML.
func (*codeList) DocumentKind() string { return "ResponseCodes" }

// Tables is a row per code.
func (l *codeList) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"CODE", "LONG NAME", "STATUS", "MEANING"},
		After:   []string{"", "One of them in full: meshctl trace --explain-code CODE"},
	}
	if wide {
		t.Columns = append(t.Columns, "STEP", "NEXT")
		t.After = nil
	}
	for _, c := range l.Codes {
		row := []string{c.Name, cmp.Or(c.Long, "-"), cmp.Or(c.Status, "-"), c.Meaning}
		if wide {
			row = append(row, cmp.Or(c.Step, "-"), strings.Join(c.Next, "; "))
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}

// explainedCodes is what --explain-code CODE prints.
type explainedCodes struct {
	Codes []trace.Explained `json:"codes"`
}

// DocumentKind is the kind of the JSON and YAML.
func (*explainedCodes) DocumentKind() string { return "ResponseCodes" }

// Tables is a row per code, for -o wide.
func (e *explainedCodes) Tables(bool) []output.Table {
	list := codeList{e.Codes}
	return list.Tables(true)
}

// Text is the codes as pages to read.
func (e *explainedCodes) Text(paint func(output.Tone, string) string) []string {
	var lines []string
	for i, c := range e.Codes {
		if i > 0 {
			lines = append(lines, "")
		}
		head := c.Name
		if c.Long != "" {
			head += "  " + c.Long
		}
		if c.Status != "" {
			head += "  (the client gets: " + c.Status + ")"
		}
		lines = append(lines, paint(output.Good, head), "")
		lines = append(lines, wrap(c.Meaning, explainWidth)...)
		if c.PartMeaning != "" {
			lines = append(append(lines, ""), wrap("Here: "+c.PartMeaning, explainWidth)...)
		}
		lines = append(lines, "", "Usual causes:")
		for _, cause := range c.Causes {
			lines = append(lines, wrap("- "+cause, explainWidth)...)
		}
		if c.Step != "" {
			lines = append(lines, "", "Step of the trace to look at: "+c.Step)
		}
		lines = append(lines, "", "Next:")
		for _, next := range c.Next {
			lines = append(lines, "  "+next)
		}
	}
	return lines
}
