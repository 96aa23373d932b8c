package checks_test

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
)

func TestEveryCheckIsDocumentedNamedAndInOrder(t *testing.T) {
	t.Parallel()
	code := regexp.MustCompile(`^(IST|MSH)\d{4}$`)
	name := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	names := map[string]bool{}
	for _, c := range checks.Known() {
		if !code.MatchString(c.Code) {
			t.Errorf("%s: the code %q is not ISTnnnn or MSHnnnn", c.Name, c.Code)
		}
		if !name.MatchString(c.Name) {
			t.Errorf("the name %q is not in kebab-case", c.Name)
		}
		if names[c.Name] {
			t.Errorf("two checks are named %q", c.Name)
		}
		names[c.Name] = true
		if !slices.Contains(analyze.Severities(), c.Severity) {
			t.Errorf("%s: unknown severity %q", c.Name, c.Severity)
		}
		for field, text := range map[string]string{"What": c.Doc.What, "Why": c.Doc.Why, "Fix": c.Doc.Fix} {
			if !strings.HasSuffix(text, ".") || len(text) < 30 {
				t.Errorf("%s: Doc.%s is not a sentence: %q", c.Name, field, text)
			}
		}
		if c.Run == nil {
			t.Errorf("%s: it has no Run", c.Name)
		}
	}
	sorted := slices.IsSortedFunc(checks.Known(), func(a, b *analyze.Check) int {
		return cmp.Or(strings.Compare(a.Code, b.Code), strings.Compare(a.Name, b.Name))
	})
	if !sorted {
		t.Error("All is not sorted by code and name")
	}
}
