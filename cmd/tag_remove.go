package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/revision"
)

type tagRemoveOptions struct {
	output *outputFlags
	yes    bool
	dryRun *enum
}

func newTagRemoveCmd(f *Factory) *cobra.Command {
	var o tagRemoveOptions
	c := &cobra.Command{
		Use:     "remove TAG",
		Aliases: []string{"delete"},
		Short:   "Remove a tag; the revision stays",
		Long: `Remove the objects of a tag. The revision at which it points stays as it is, and
so do running pods; but new pods in namespaces that name the tag are no longer
injected. These are named first, and a question follows unless -y is given.`,
		Example: `  meshctl tag remove prod

  # Who would be concerned?
  meshctl tag remove prod --dry-run`,
		Args:              exactArgs("the name of the tag"),
		ValidArgsFunction: f.completeTags,
		RunE:              func(c *cobra.Command, args []string) error { return o.run(c.Context(), f, args[0]) },
	}
	o.output = addOutput(c)
	c.Flags().BoolVarP(&o.yes, "skip-confirmation", "y", false, "do not ask")
	o.dryRun = addDryRun(c)
	return c
}

func (o *tagRemoveOptions) run(ctx context.Context, f *Factory, tag string) error {
	ctx, stop := context.WithTimeout(ctx, tagTimeout)
	defer stop()
	state, client, err := f.revisions(ctx)
	if err != nil {
		return err
	}
	change, err := state.PlanRemoval(tag)
	if err != nil {
		return err
	}
	if u := change.Users; len(u.Namespaces) > 0 || u.Pods > 0 {
		f.IO.Warnf("tag %s is used by %s: without it their new pods get no proxy", tag, u.Text())
	}
	cluster := kube.NewObjects(client, install.FieldManager)
	dryRun := o.dryRun.value != dryRunNone
	if !dryRun && !o.yes {
		f.announceTag(client, change)
		if err := f.confirm(ctx, "Remove the tag?"); err != nil {
			return err
		}
	}
	err = change.Remove(ctx, cluster, dryRun)
	report := change.Report()
	if dryRun {
		report.DryRun = o.dryRun.value
	}
	if printErr := f.print(o.output, report); printErr != nil {
		return printErr
	}
	if err != nil {
		return kube.Explain("removing tag "+tag, err)
	}
	if !dryRun {
		f.progress("tag %s is removed; revision %s stays", tag, change.Previous)
		if r := state.Revision(revision.Default); tag == revision.Default && r != nil && !r.Active {
			f.progress("nothing injects namespaces labelled istio-injection=enabled now: `meshctl tag set default -r REVISION` chooses who does")
		}
	}
	return nil
}
