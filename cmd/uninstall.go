package cmd

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/ui"
)

type uninstallOptions struct {
	output   *outputFlags
	purge    bool
	revision string
	yes      bool
	dryRun   *enum
	timeout  time.Duration
}

func newUninstallCmd(f *Factory) *cobra.Command {
	var o uninstallOptions
	c := &cobra.Command{
		Use:     "uninstall",
		GroupID: groupInstall,
		Short:   "Remove Istio, or one of its revisions",
		Long: `Remove what meshctl or istioctl installed: everything with --purge, or one
revision of the control plane with --revision.

The list comes first, and a question unless -y is given. Webhooks go first, so
that they refuse nothing; then gateways and add-ons, istiod, CNI and ztunnel,
and the rest. CRDs, and with them every custom resource, go only with --purge.
Namespaces stay, and so do the CA's secret and what istiod wrote into other
namespaces.`,
		Example: `  # What would be removed?
  meshctl uninstall --purge --dry-run

  # Everything, without a question
  meshctl uninstall --purge -y

  # One revision; CRDs, add-ons and other revisions stay
  meshctl uninstall --revision 1-30-2`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), f) },
	}
	o.output = addOutput(c)
	fs := c.Flags()
	fs.BoolVar(&o.purge, "purge", false, "remove everything of all revisions, CRDs and custom resources too")
	fs.StringVarP(&o.revision, "revision", "r", "", "remove one revision of the control plane")
	fs.BoolVarP(&o.yes, "skip-confirmation", "y", false, "do not ask")
	fs.DurationVar(&o.timeout, "timeout", 5*time.Minute, "longest time for all of it")
	o.dryRun = addDryRun(c)
	addIgnored(c, "force", "there is nothing that needs it")
	return c
}

func (o *uninstallOptions) run(ctx context.Context, f *Factory) error {
	switch {
	case o.purge && o.revision != "":
		return hint.Usagef("--purge removes all revisions", "uninstalling: --purge and --revision exclude each other")
	case !o.purge && o.revision == "":
		return hint.Usagef("--purge removes everything, --revision NAME one revision of the control plane", "uninstalling: it takes --purge or --revision")
	}
	client, err := f.Client()
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	cluster := kube.NewObjects(client, install.FieldManager)
	removal, err := install.Find(ctx, cluster, install.FindOptions{Revision: o.revision, Purge: o.purge})
	if err != nil {
		return kube.Explain("looking for what is installed", err)
	}
	if n := len(removal.Skipped); n > 0 {
		f.IO.Warnf("%s could not be looked for, as this identity may not list them: %s", plural(n, "kind"), strings.Join(removal.Skipped, ", "))
	}
	if o.dryRun.value != dryRunClient {
		if err := removal.Check(ctx, cluster); err != nil {
			return kube.Explain("checking what would be deleted", err)
		}
	}
	if len(removal.Objects) == 0 || o.dryRun.value != dryRunNone {
		return o.finish(f, removal, client)
	}
	if !o.yes {
		if err := f.askRemoval(ctx, o, removal, client); err != nil {
			return err
		}
	}
	return o.remove(ctx, f, cluster, removal, client)
}

// askRemoval shows the list on stderr and asks.
func (f *Factory) askRemoval(ctx context.Context, o *uninstallOptions, removal *install.Removal, client *kube.Client) error {
	if !f.IO.InTTY {
		return f.confirm(ctx, "")
	}
	f.IO.Errf("From context %s (%s):", contextName(client), serverURL(client))
	for _, x := range removal.Report().Objects {
		name := x.Name
		if x.Namespace != "" {
			name = x.Namespace + "/" + x.Name
		}
		f.IO.Errf("  %s %s", x.Kind, name)
	}
	if text := removal.ResourcesText(); text != "" {
		f.IO.Warnf("with the CRDs the API server deletes %s", text)
	}
	return f.confirm(ctx, "Remove these "+strings.TrimSpace(plural(len(removal.Objects), "object"))+"?")
}

func (o *uninstallOptions) remove(ctx context.Context, f *Factory, c install.Installed, removal *install.Removal, client *kube.Client) error {
	progress := f.IO.Progress("uninstall")
	gone := 0
	err := removal.Remove(ctx, c, func(e install.Event) {
		if e.Phase == install.Gone {
			progress.Set("uninstall", ui.Busy, "removed "+e.Object, false)
		}
	})
	for _, x := range removal.Objects {
		if x.Gone {
			gone++
		}
	}
	progress.Set("uninstall", doneIf(err == nil), "removed "+plural(gone, "object"), true)
	progress.Close()
	done := o.finish(f, removal, client)
	if err == nil {
		return done
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		f.IO.Error(err, hint.Of(err))
	}
	return kube.Explain("uninstalling", err)
}

// finish prints the report. What could not be looked for may still be there.
func (o *uninstallOptions) finish(f *Factory, removal *install.Removal, client *kube.Client) error {
	if err := f.print(o.output, o.describe(removal, client)); err != nil {
		return err
	}
	if len(removal.Skipped) > 0 {
		return errUnanswered
	}
	return nil
}

func (o *uninstallOptions) describe(removal *install.Removal, client *kube.Client) *install.RemovalReport {
	r := removal.Report()
	r.Revision, r.Purge, r.Context, r.Server = o.revision, o.purge, contextName(client), serverURL(client)
	if o.dryRun.value != dryRunNone {
		r.DryRun = o.dryRun.value
	}
	return r
}
