package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/analyze/checks/precheck"
)

// precheckFlags are the flags of precheck.
type precheckFlags struct {
	from             string
	revision         string
	skipControlPlane bool
	listChecks       bool
	failOn           *enum
	outputThreshold  *enum
	only, skip       []string
	timeout          time.Duration
	out              *reportFlags
}

func newPrecheckCmd(f *Factory) *cobra.Command {
	p := &precheckFlags{}
	c := &cobra.Command{
		Use:   "precheck",
		Short: "Say whether a cluster is ready for an install or an upgrade of Istio",
		Long: `precheck asks the cluster what an install of Istio needs: its version, your
permissions, the versions of the Gateway API. With --from-version it also says
what the upgrade from that version changes for the mesh that runs; "meshctl
upgrade plan" tells that at length. It changes nothing.

Exit codes: 0 nothing at or above --fail-on; 1 findings; 2 used wrongly, or not
everything could be asked. They are the same for every format.`,
		Example: `  # Is this cluster ready?
  meshctl precheck

  # And for the upgrade from 1.28?
  meshctl precheck --from-version 1.28

  # What of alpha features does the mesh use?
  meshctl precheck --only IST0136 --output-threshold info`,
		GroupID: groupInstall,
		Args:    exactArgs(),
		RunE:    func(c *cobra.Command, _ []string) error { return p.run(c.Context(), f) },
	}
	fs := c.Flags()
	fs.StringVarP(&p.from, "from-version", "f", "", "version of Istio that is to be upgraded, such as 1.28")
	fs.StringVarP(&p.revision, "revision", "r", "", "control plane to upgrade (default: the default one)")
	fs.BoolVar(&p.skipControlPlane, "skip-controlplane", false, "leave out what only an install needs")
	fs.BoolVarP(&p.listChecks, "list-checks", "L", false, "list the checks instead of running them")
	fs.StringSliceVar(&p.only, "only", nil, "run only these checks, by code or name")
	fs.StringSliceVar(&p.skip, "skip", nil, "leave out these checks, by code or name")
	fs.DurationVar(&p.timeout, "timeout", time.Minute, "longest time for all of it")
	p.failOn = newEnum(string(analyze.Warning), severities()...)
	addEnum(c, p.failOn, "fail-on", "", "mildest finding that makes the exit code 1")
	p.outputThreshold = newEnum(string(analyze.Warning), severities()...)
	addEnum(c, p.outputThreshold, "output-threshold", "", "mildest finding to show")
	p.out = addReportOutput(c)
	return c
}

func (p *precheckFlags) run(ctx context.Context, f *Factory) error {
	var changes []precheck.Change
	all := checks.BeforeInstall(func() []precheck.Change { return changes })
	if p.listChecks {
		return f.print(p.out.outputFlags, analyze.List(all))
	}
	selected, err := p.selected(all)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	snapshot, err := p.read(ctx, f, selected)
	if err != nil {
		return err
	}
	undecided := 0
	if p.from != "" {
		if changes, undecided, err = p.changes(snapshot); err != nil {
			return err
		}
	}
	report, err := analyze.Run(ctx, snapshot, selected, analyze.Options{Threshold: analyze.Severity(p.outputThreshold.value), Namespaces: p.namespaces(f)})
	if err != nil {
		return err
	}
	if err := f.printReport(ctx, p.out, report); err != nil {
		return err
	}
	return p.verdict(f, report, undecided)
}

// namespaces are those to report on; nil for all.
func (p *precheckFlags) namespaces(f *Factory) []string {
	if given := f.GivenNamespace(); given != "" {
		return []string{given}
	}
	return nil
}

// verdict says on stderr what the report amounts to, and is the exit code.
func (p *precheckFlags) verdict(f *Factory, report *analyze.Report, undecided int) error {
	warnSkipped(f, report.SkippedChecks)
	if undecided > 0 {
		f.IO.Warnf("%d changes of the upgrade could not be judged; `meshctl upgrade plan --from %s` names them", undecided, p.from)
	}
	f.progress("%s", report.Summary)
	switch {
	case report.Fails(analyze.Severity(p.failOn.value)):
		return errNo
	case len(report.SkippedChecks) > 0, undecided > 0:
		return errUnanswered
	}
	f.progress("nothing stands in the way of an install or upgrade")
	return nil
}
