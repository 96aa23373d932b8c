package checks_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
)

const checksPage = "../../../docs/checks.md"

// TestEveryPeerCodeHasAnAnswer: each code of istioctl and Kiali has a check of
// ours, or says what we do instead.
func TestEveryPeerCodeHasAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range checks.IstioctlCodes() {
		if c.Unused == "" && c.Instead == "" && len(answers(c.Code)) == 0 {
			t.Errorf("%s %s has no check and no answer in catalog/istioctl.tsv", c.Code, c.Name)
		}
	}
	for _, c := range checks.KialiCodes() {
		if c.Instead == "" && len(answers(c.Code)) == 0 {
			t.Errorf("%s (%s) has no check and no answer in catalog/kiali.tsv", c.Code, c.What)
		}
	}
	for _, c := range append(checks.IstioctlCodes(), checks.KialiCodes()...) {
		if c.Instead != "" && len(answers(c.Code)) > 0 {
			t.Errorf("%s has a check, and the catalog says %q", c.Code, c.Instead)
		}
	}
	for _, c := range checks.All() {
		for _, kia := range c.KialiCodes() {
			if !slices.ContainsFunc(checks.KialiCodes(), func(p checks.PeerCode) bool { return p.Code == kia }) {
				t.Errorf("%s: Kiali has no code %s", c.Name, kia)
			}
		}
		if strings.HasPrefix(c.Code, "IST") && !slices.ContainsFunc(checks.IstioctlCodes(), func(p checks.PeerCode) bool { return p.Code == c.Code }) {
			t.Errorf("%s: istioctl has no code %s", c.Name, c.Code)
		}
	}
}

// TestChecksPage keeps docs/checks.md current; -update rewrites it.
func TestChecksPage(t *testing.T) {
	t.Parallel()
	page := checksText()
	if *update {
		if err := os.WriteFile(checksPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was, err := os.ReadFile(checksPage)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(was), page); diff != "" {
		t.Errorf("docs/checks.md is not current; -update rewrites it (-page +checks):\n%s", diff)
	}
}

func checksText() string {
	var b strings.Builder
	all := checks.All()
	codes := map[string]bool{}
	for _, c := range all {
		codes[c.Code] = true
	}
	fmt.Fprintf(&b, `# The checks of analyze

%d checks under %d codes. A code of istioctl keeps its number and meaning; several checks may share one, and each has a name of its own.
Codes that begin with MSH are ours; most of them are known from Kiali. `+"`meshctl explain CODE`"+` tells more, with examples, offline.

This page is made from the checks and from what istioctl 1.31 and Kiali have (`+"`internal/analyze/checks/catalog`"+`);
`+"`go test ./internal/analyze/checks -run TestChecksPage -update`"+` rewrites it.

| code | check | severity | Kiali | finds |
|---|---|---|---|---|
`, len(all), len(codes))
	last := ""
	for _, c := range all {
		code := c.Code
		if code != last {
			code = `<a id="` + strings.ToLower(code) + `"></a>` + code
		}
		last = c.Code
		row(&b, code, c.Name, string(c.Severity), strings.Join(c.KialiCodes(), " "), firstSentence(c.Doc.What))
	}
	b.WriteString("\n## istioctl's codes\n\n| code | name | severity | ours |\n|---|---|---|---|\n")
	for _, c := range checks.IstioctlCodes() {
		answer := ours(c.Code, c.Instead)
		if answer == "" {
			answer = map[string]string{
				"retired": "istioctl retired it", "never used": "istioctl never used the number",
				"never emitted": "istioctl has it and never emits it", "precheck": "`meshctl precheck`",
			}[c.Unused]
		} else if c.Unused != "" {
			answer += " (istioctl: " + c.Unused + ")"
		}
		row(&b, c.Code, c.Name, c.Severity, answer)
	}
	b.WriteString("\n## Kiali's codes\n\n| code | severity | object | condition | istioctl | ours |\n|---|---|---|---|---|---|\n")
	for _, c := range checks.KialiCodes() {
		row(&b, c.Code, c.Severity, c.Name, c.What, c.Twin, ours(c.Code, c.Instead))
	}
	return b.String()
}

func row(b *strings.Builder, cells ...string) {
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// ours is what we have for a code: the checks, or what is done instead.
func ours(code, instead string) string {
	var names []string
	for _, c := range answers(code) {
		name := c.Name
		if c.Code != code {
			name = c.Code + " " + name
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return instead
	}
	return strings.Join(names, ", ")
}

func answers(code string) []*analyze.Check {
	var found []*analyze.Check
	for _, c := range checks.All() {
		if c.Is(code) {
			found = append(found, c)
		}
	}
	return found
}

func firstSentence(text string) string {
	first, _, _ := strings.Cut(text, ". ")
	return strings.TrimSuffix(first, ".")
}
