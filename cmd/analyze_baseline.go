package cmd

import (
	"bytes"
	"os"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

// applyBaseline writes the findings as a new baseline, and leaves out of the
// report those of the old one.
func (a *analyzeFlags) applyBaseline(report *analyze.Report) error {
	var known analyze.Fingerprints
	if a.baseline != "" {
		text, err := os.ReadFile(a.baseline)
		if err != nil {
			return hint.Unanswerablef("--write-baseline makes one", "reading the baseline: %w", err)
		}
		if known, err = analyze.ReadBaseline(text); err != nil {
			return hint.Unanswerablef("--write-baseline makes one, and so does -o json", "reading the baseline %s: %w", a.baseline, err)
		}
	}
	if a.writeBaseline != "" {
		var b bytes.Buffer
		if err := output.Write(&b, output.Options{Format: output.AsJSON}, report.Whole()); err != nil {
			return err
		}
		if err := writeFiles([]string{a.writeBaseline}, func(string) []byte { return b.Bytes() }); err != nil {
			return hint.Unanswerablef(hint.Of(err), "%w", err)
		}
	}
	if known != nil {
		report.Without(known)
	}
	return nil
}
