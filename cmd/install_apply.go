package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
)

const formatDiff = "diff"

// applyFlags are the flags of the commands that bring a cluster to a manifest:
// install, upgrade and rollback.
type applyFlags struct {
	output   *outputFlags
	dryRun   *enum
	diff     bool
	yes      bool
	force    bool
	takeOver bool
	prune    bool
	rollback bool
	failFast bool
	timeout  time.Duration
}

func (a *applyFlags) add(c *cobra.Command) {
	a.output = addOutput(c, formatDiff)
	fs := c.Flags()
	fs.BoolVarP(&a.yes, "skip-confirmation", "y", false, "do not ask")
	fs.BoolVar(&a.yes, "yes", false, "the same as --skip-confirmation")
	fs.BoolVar(&a.force, "force-conflicts", false, "take over fields that other managers own")
	fs.BoolVar(&a.takeOver, "take-ownership", false, "make the objects of istioctl's or of a Helm release meshctl's own, and prune what istioctl left")
	fs.BoolVar(&a.prune, "prune", true, "delete what an earlier install brought and this one no longer has")
	fs.BoolVar(&a.rollback, "rollback-on-failure", false, "go back to the last good revision when this one fails")
	fs.DurationVar(&a.timeout, "timeout", 5*time.Minute, "longest time for all of it")
	fs.DurationVar(&a.timeout, "readiness-timeout", 5*time.Minute, "the same as --timeout")
	fs.BoolVar(&a.failFast, "fail-fast", true, "stop waiting soon when the cause does not heal by itself, such as an image that does not exist")
	fs.BoolVar(&a.diff, "diff", false, "change nothing, show what would be changed as a diff: --dry-run=server -o diff")
	a.dryRun = addDryRun(c)
}

// settle makes one meaning of the flags.
func (a *applyFlags) settle(c *cobra.Command) error {
	if a.diff && a.dryRun.value == dryRunClient {
		return hint.Usagef("leave out --dry-run=client", "%s: --diff needs the API server, and --dry-run=client does not ask it", c.CommandPath())
	}
	if a.diff {
		a.dryRun.value = dryRunServer
		if !c.Flags().Changed("output") {
			a.output.format.value = formatDiff
		}
	}
	if a.output.format.value == formatDiff && a.dryRun.value != dryRunServer {
		return hint.Usagef("add --dry-run, or use --diff", "%s: -o diff shows a plan, and this would carry it out", c.CommandPath())
	}
	return nil
}

// target is what a manifest makes of a cluster.
type target struct {
	profile, revision, namespace, version, network string
	// action is what the history says.
	action string
	inputs install.Inputs
}

func targetOf(spec *install.Spec, in install.Inputs, action string) target {
	return target{spec.Profile, spec.Revision, spec.Namespace, spec.Tag, spec.Network(), action, in}
}

// applyRun is a manifest on its way into a cluster.
type applyRun struct {
	*applyFlags
	f        *Factory
	client   *kube.Client
	cluster  install.Cluster
	manifest *install.Manifest
	target   target
}

// run plans, shows the plan, asks and applies.
func (r *applyRun) run(ctx context.Context) error {
	if r.dryRun.value == dryRunClient {
		return r.print(install.Unchecked(r.manifest), dryRunClient)
	}
	ctx, stop := context.WithTimeout(ctx, r.timeout)
	defer stop()
	o := r.options()
	p, err := install.NewPlan(ctx, r.cluster, r.manifest, o)
	if err != nil {
		return kube.Explain("planning the install", install.ExplainRefusal(ctx, r.cluster, err))
	}
	r.announce(p)
	if r.dryRun.value == dryRunServer {
		return r.show(p)
	}
	if err := p.Blocked(); err != nil {
		return err
	}
	if !p.Empty() && !r.yes {
		if err := r.f.confirm(ctx, "Go ahead?"); err != nil {
			return err
		}
	}
	return r.apply(ctx, p, o)
}

func (r *applyRun) options() install.PlanOptions {
	return install.PlanOptions{
		Force: r.force, TakeOwnership: r.takeOver, KeepUnused: !r.prune, KeepWaiting: !r.failFast,
		Namespace: r.target.namespace, Revision: r.target.revision, Network: r.target.network,
		Record: install.Record{
			Action: r.target.action, Version: r.target.version, Profile: r.target.profile,
			By: r.client.WhoAmI, Inputs: r.target.inputs, Now: r.f.Now(),
		},
	}
}

// show prints a plan that is not carried out. Its verdict is that of a diff.
func (r *applyRun) show(p *install.Plan) error {
	var err error
	if r.output.format.value == formatDiff {
		err = p.WriteDiff(r.f.IO.Out)
	} else {
		err = r.print(p.Planned(), dryRunServer)
	}
	if blocked := p.Blocked(); blocked != nil {
		r.f.IO.Warnf("the install would fail, as other managers own what it wants otherwise: %s", hint.Of(blocked))
	}
	if err == nil && !p.Empty() {
		err = errNo
	}
	return err
}

func (r *applyRun) apply(ctx context.Context, p *install.Plan, o install.PlanOptions) error {
	progress := newInstallProgress(r.f, p)
	o.Progress = progress.see
	report, err := p.Apply(ctx, r.cluster, o)
	err = install.ExplainRefusal(ctx, r.cluster, err)
	progress.close()
	if printErr := r.print(report, ""); printErr != nil {
		return printErr
	}
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			r.f.IO.Error(err, hint.Of(err))
		} else if r.rollback {
			return r.goBack(ctx, err)
		}
		return kube.Explain("installing", err)
	}
	for _, c := range report.Components {
		for _, note := range c.Notes {
			r.f.IO.Warnf("%s", note)
		}
	}
	for _, note := range report.Notes() {
		r.f.IO.Warnf("%s", note)
	}
	if !p.Empty() {
		r.nextSteps(report)
	}
	return nil
}

// goBack restores what was good before a failure, in as much time again.
func (r *applyRun) goBack(ctx context.Context, failed error) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
	defer stop()
	r.f.IO.Error(failed, hint.Of(failed))
	inv, err := inventoryOf(ctx, r.cluster, r.target.namespace, r.target.revision)
	if err != nil {
		return err
	}
	good := inv.Current()
	if good == nil {
		r.f.IO.Warnf("there is no good revision to go back to: what is applied stays")
		return errNo
	}
	manifest, in, err := inv.Restore(ctx, r.cluster, good.Number)
	if err != nil {
		return kube.Explain("reading the history", err)
	}
	back := *r
	back.applyFlags = &applyFlags{output: r.output, dryRun: newEnum(dryRunNone), yes: true, force: r.force, takeOver: r.takeOver, prune: true, failFast: r.failFast, timeout: r.timeout}
	back.manifest = manifest
	back.target = rollbackTarget(inv, good, in, r.target.namespace)
	r.f.IO.Errf("rolling back to %s", entryTitle(good))
	if err := back.run(ctx); err != nil {
		return fmt.Errorf("rolling back: %w", err)
	}
	return errNo
}

func (r *applyRun) print(report *install.Report, dryRun string) error {
	report.Profile, report.Revision, report.Namespace, report.Version = r.target.profile, r.target.revision, r.target.namespace, r.target.version
	report.DryRun = dryRun
	if dryRun != dryRunClient {
		report.Context, report.Server = r.client.Context()
	}
	return r.f.print(r.output, report)
}
