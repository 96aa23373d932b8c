package checks_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
)

// TestFixesMend makes the edits of every bad case, and wants the findings gone
// afterwards, and nothing of the same to mend. A fix may bring up what the defect hid.
func TestFixesMend(t *testing.T) {
	t.Parallel()
	mended := 0
	for _, c := range checks.All() {
		files, err := filepath.Glob(filepath.Join("*", "testdata", c.Name, "bad*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			before := analyzed(t, c, file, archive)
			plan := planFix(t, file, archive, before)
			if plan.Mended == 0 {
				continue
			}
			mended += plan.Mended
			for _, fixed := range plan.Files {
				i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == fixed.File })
				archive.Files[i].Data = fixed.After
			}
			after := analyzed(t, c, file, archive)
			gone := analyze.FingerprintsOf(before)
			for _, f := range after {
				gone.Take(f)
			}
			if gone.Left() < plan.Mended {
				t.Errorf("%s: of %d findings %d are mended, and %d are gone", file, len(before), plan.Mended, gone.Left())
			}
			if again := planFix(t, file, archive, after); again.Mended > len(plan.Refused) {
				t.Errorf("%s: a second run mends %d more", file, again.Mended)
			}
		}
	}
	if mended == 0 {
		t.Error("no case has a fix")
	}
}

func planFix(t *testing.T, file string, archive *txtar.Archive, findings []*analyze.Finding) *analyze.Fix {
	t.Helper()
	plan, err := analyze.PlanFix(findings, func(name string) ([]byte, error) {
		for _, f := range archive.Files {
			if f.Name == name {
				return f.Data, nil
			}
		}
		return nil, fmt.Errorf("no file %s", name)
	})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return plan
}

func analyzed(t *testing.T, c *analyze.Check, file string, archive *txtar.Archive) []*analyze.Finding {
	t.Helper()
	snapshots, _ := load(t, file, archive)
	report, err := analyze.RunAll(context.Background(), snapshots, []*analyze.Check{c}, analyze.Options{})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return report.Findings
}
