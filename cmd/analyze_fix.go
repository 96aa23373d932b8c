package cmd

import (
	"context"
	"os"
	"slices"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

// checkFixFlags refuses what --fix cannot do.
func (a *analyzeFlags) checkFixFlags(args []string) error {
	switch {
	case a.dryRun && !a.fix:
		return hint.Usagef("add --fix, or leave out --dry-run", "--dry-run without --fix has nothing to show")
	case !a.fix:
		return nil
	case len(args) == 0:
		return hint.Usagef("name the files to mend", "--fix writes files, and none were given")
	case slices.Contains(args, "-"):
		return hint.Usagef("name the file instead of piping it in", "--fix writes files, and stdin is none")
	}
	return nil
}

// applyFixes mends the files and analyzes them anew; with --dry-run it prints
// the diff and returns no report.
func (a *analyzeFlags) applyFixes(ctx context.Context, f *Factory, report *analyze.Report, again func(context.Context) (*analyze.Report, error)) (*analyze.Report, error) {
	plan, err := analyze.PlanFix(report.Findings, os.ReadFile)
	if err != nil {
		return nil, hint.Unanswerablef("run the command again", "%w", err)
	}
	for _, left := range plan.Refused {
		f.IO.Warnf("not mended yet: the fix of %s of %s overlaps with another one; --fix again mends it", left.Check, left.Object)
	}
	if a.dryRun {
		return nil, a.showFixes(ctx, f, plan, report)
	}
	if len(plan.Files) == 0 {
		return report, nil
	}
	texts := map[string][]byte{}
	var paths []string
	for _, file := range plan.Files {
		texts[file.File] = file.After
		paths = append(paths, file.File)
	}
	if err := writeFiles(paths, func(path string) []byte { return texts[path] }); err != nil {
		return nil, err
	}
	f.progress("mended %d of %s in %s", plan.Mended, plural(len(report.Findings), "finding"), plural(len(plan.Files), "file"))
	return again(ctx)
}

// showFixes prints the diff; like every dry run it answers yes when nothing
// would change.
func (a *analyzeFlags) showFixes(ctx context.Context, f *Factory, plan *analyze.Fix, report *analyze.Report) error {
	if len(a.out.files) > 0 || !slices.Contains(output.Formats(), output.Format(a.out.format.value)) {
		return hint.Usagef("leave out -o, and make the reports in a run of their own", "--fix --dry-run prints a diff, or the plan as json or yaml, and nothing else")
	}
	if err := f.printReport(ctx, a.out, plan); err != nil {
		return err
	}
	f.progress("%d of %s would be mended in %s", plan.Mended, plural(len(report.Findings), "finding"), plural(len(plan.Files), "file"))
	if len(plan.Files) > 0 || report.Fails(analyze.Severity(a.failOn.value)) {
		return errNo
	}
	return nil
}
