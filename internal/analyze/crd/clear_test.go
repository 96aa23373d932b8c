package crd

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/meshctl/meshctl/internal/mesh"
)

// TestWhatIsClearedFollowsTheRules: each rule of the bundled schemas, on its
// own, with values made at random. CEL must agree with whatever is cleared, and
// most of the rules must be ones that can be.
func TestWhatIsClearedFollowsTheRules(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	beyond := map[string]bool{}
	rules := 0
	for _, kind := range mesh.Kinds() {
		s, err := Bundled(kind, kind.Version)
		if err != nil {
			t.Fatal(err)
		}
		if s == nil {
			continue
		}
		if spec := s.structural.Properties["spec"]; s.root.fields["spec"] != nil {
			compare(t, kind, "all of them", &spec, s.root.fields["spec"])
		}
		eachRule(s.structural, s.root, func(at *schema.Structural, level *node, rule schema.Structural) {
			text := rule.XValidations[0].Rule
			key := fmt.Sprint(text, at.Type, len(at.Properties))
			if seen[key] {
				return
			}
			seen[key] = true
			rules++
			if !compare(t, kind, text, &rule, level) {
				beyond[text] = true
			}
		})
	}
	if rules < 120 || len(beyond) > 6 {
		t.Errorf("%d of %d rules are left to CEL:\n%s", len(beyond), rules, strings.Join(slices.Sorted(maps.Keys(beyond)), "\n"))
	}
}

// compare asks both about values of a schema, and says
// whether most of those that follow it are cleared.
func compare(t *testing.T, kind mesh.Kind, text string, s *schema.Structural, level *node) bool {
	t.Helper()
	slow, quick := cel.NewValidator(s, false, celconfig.PerCallLimit), newRuled(s, level)
	random := &maker{Rand: rand.New(rand.NewPCG(1, uint64(len(text)))), words: wordsOf(text)}
	followed, cleared := 0, 0
	for range 150 {
		object := random.value(s, 0)
		errs, _ := slow.Validate(context.Background(), nil, s, object, nil, celconfig.RuntimeCELCostBudget)
		if len(errs) == 0 {
			followed++
		}
		if quick == nil || quick.clears(object) {
			cleared++
			if len(errs) > 0 {
				t.Errorf("%s: rule %s is cleared for %v, but CEL says %v", kind, text, object, errs)
				return true
			}
		}
	}
	return cleared*2 >= followed
}

// eachRule calls f with each rule as a schema of its own, and its place.
func eachRule(s *schema.Structural, level *node, f func(at *schema.Structural, level *node, rule schema.Structural)) {
	if s == nil || level == nil {
		return
	}
	for _, rule := range s.XValidations {
		alone := withoutRules(s)
		alone.XValidations = append(alone.XValidations, rule)
		f(s, level, alone)
	}
	for name, field := range s.Properties {
		eachRule(&field, level.fields[name], f)
	}
	eachRule(s.Items, level.items, f)
	if s.AdditionalProperties != nil {
		eachRule(s.AdditionalProperties.Structural, level.additional, f)
	}
}

func withoutRules(s *schema.Structural) schema.Structural {
	bare := *s.DeepCopy()
	(&schema.Visitor{Structural: func(s *schema.Structural) bool { s.XValidations = nil; return true }}).Visit(&bare)
	return bare
}

// wordsOf are the texts that a rule compares with, and some more.
func wordsOf(rule string) []string {
	words := []string{"", "*", "a", "b", "1s", "0s", "unix:///x", "ab.example.com"}
	for _, found := range regexp.MustCompile(`'([^']*)'|"([^"]*)"`).FindAllStringSubmatch(rule, -1) {
		words = append(words, found[1]+found[2])
	}
	return words
}

// maker makes values of a schema's types.
type maker struct {
	*rand.Rand
	words []string
}

func (m *maker) value(s *schema.Structural, depth int) any {
	switch {
	case s.XIntOrString && m.IntN(2) == 0:
		return int64(m.IntN(3))
	case s.XIntOrString:
		return m.text(s)
	}
	switch s.Type {
	case "object":
		object := map[string]any{}
		for name, field := range s.Properties {
			if depth < 4 && m.IntN(max(2, len(s.Properties)/3)) == 0 {
				object[name] = m.value(&field, depth+1)
			}
		}
		if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
			for range m.IntN(3) {
				object[m.words[m.IntN(len(m.words))]] = m.value(s.AdditionalProperties.Structural, depth+1)
			}
		}
		return object
	case "array":
		list := []any{}
		for range m.IntN(4) {
			list = append(list, m.value(s.Items, depth+1))
		}
		return list
	case "integer":
		return []int64{0, 1, 2, 80, 443, 65535, 65536, -1}[m.IntN(8)]
	case "number":
		return []any{0.5, 1.0, int64(3)}[m.IntN(3)]
	case "boolean":
		return m.IntN(2) == 0
	}
	return m.text(s)
}

func (m *maker) text(s *schema.Structural) string {
	if s.ValueValidation != nil && len(s.ValueValidation.Enum) > 0 {
		text, err := strconv.Unquote(fmt.Sprintf("%q", s.ValueValidation.Enum[m.IntN(len(s.ValueValidation.Enum))].Object))
		if err == nil {
			return text
		}
	}
	return m.words[m.IntN(len(m.words))]
}
