package parity

import (
	"fmt"
	"strings"
)

// Differences is docs/differences.md: everything that meshctl renders, takes or
// refuses other than istioctl does.
func Differences() string {
	var b strings.Builder
	b.WriteString(differencesHead)
	table := func(title, intro string, judged []Judged) {
		fmt.Fprintf(&b, "\n## %s\n%s\n\n| input | why |\n|---|---|\n", title, intro)
		for _, j := range judged {
			fmt.Fprintf(&b, "| %s | %s |\n", j.inMarkdown(), j.Why)
		}
	}
	table("Rendered differently", "Both take these inputs.", Divergent())
	b.WriteString("\n## Single fields, wherever they come up\n\n| field | meshctl | istioctl | why |\n|---|---|---|---|\n")
	for _, a := range AcceptedDifferences() {
		fmt.Fprintf(&b, "| %s `%s` | `%s` | `%s` | %s |\n", a.Kind, a.Path, a.Ours, a.Peer, a.Why)
	}
	table("Refused by meshctl only", "Each is an error with exit code 2 that names the place and the next step.", Stricter())
	table("Taken by meshctl only", "istioctl refuses these.", Laxer())
	return b.String()
}

const differencesHead = `# How meshctl's rendering differs from istioctl's

For every other input the objects are equal, field by field and in the same order; what is left out of the comparison are the add-ons, which
istioctl has not, and labels that say who owns an object (` + "`meshctl.io/component`, `meshctl.io/managed-by`, and where istioctl's output has\nnone `operator.istio.io/component` and `istio.io/rev`" + `).

This page is generated from ` + "`test/bench/parity/judged.go`" + ` by ` + "`cd test/bench && go test ./parity -run Differences -update`" + `, and a test proves
each line of it against istioctl. Besides these inputs, the same tests compare every profile, platform and compatibility version, every
setting of ` + "`settings.go`" + `, every fragment of ` + "`fragments.go`" + `, and random mixtures of all of them (` + "`-seeds 300`" + ` for more).
`

// inMarkdown is the input as one would give it.
func (c Case) inMarkdown() string {
	var parts []string
	for i := 0; i+1 < len(c.Args); i += 2 {
		if c.Args[i] == "--set" {
			parts = append(parts, "`--set "+c.Args[i+1]+"`")
		}
	}
	if len(c.Files) == 0 && len(parts) > 0 {
		return strings.Join(parts, " ")
	}
	for _, f := range c.Files {
		parts = append(parts, "`"+strings.ReplaceAll(strings.TrimSpace(f), "\n", "; ")+"`")
	}
	return strings.TrimSpace(c.Name + " " + strings.Join(parts, " "))
}
