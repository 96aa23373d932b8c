package cmd

import (
	"os"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/hint"
)

// wishes are the suppressions of the command line and, with the severities, of
// the configuration files.
func (a *analyzeFlags) wishes(f *Factory) (analyze.Config, error) {
	all := analyze.Config{Severities: map[string]analyze.Severity{}}
	for _, word := range a.suppress {
		s, err := analyze.ParseSuppression(word)
		if err != nil {
			return all, hint.Usagef(`for example --suppress "IST0101=VirtualService shop/*"`, "--suppress: %w", err)
		}
		if !checks.Has(s.Code) && !analyze.IsCode(s.Code) {
			return all, hint.Usagef(checkHint(s.Code), "--suppress: there is no check %q", s.Code)
		}
		if !checks.Knows(s.Code) {
			f.IO.Warnf("--suppress: there is no check %q, so it suppresses nothing", s.Code)
		}
		all.Suppress = append(all.Suppress, s)
	}
	for _, path := range configFiles() {
		text, err := os.ReadFile(path)
		if err != nil {
			return all, hint.Unanswerablef("correct or remove the file", "reading configuration %s: %w", path, err)
		}
		c, err := analyze.ReadConfig(path, text)
		if err != nil {
			return all, err
		}
		for _, s := range c.Suppress {
			if !checks.Has(s.Code) {
				return all, hint.Usagef(checkHint(s.Code), "reading configuration %s: there is no check %q", s.Position, s.Code)
			}
		}
		all.Suppress = append(all.Suppress, c.Suppress...)
		for word, severity := range c.Severities {
			if !checks.Has(word) {
				return all, hint.Usagef(checkHint(word), "reading configuration %s: severities: there is no check %q", path, word)
			}
			all.Severities[word] = severity
		}
	}
	return all, nil
}
