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
	files    []string
	set      []string
	find     install.FindOptions
	concern  *install.Concerned
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
revision of the control plane with --revision, together with the tags that point
at it.

The list comes first, with the proxies that are connected and the namespaces
that name the revision, and a question unless -y is given. Webhooks go first, so
that they refuse nothing; then gateways and add-ons, istiod, CNI and ztunnel,
and the rest, each gone before the next. CRDs, and with them every custom
resource, go only with --purge, and so does what istiod wrote into the cluster.

Namespaces stay unless --delete-namespaces is given: then those go in which
nothing else is left, with any Secrets in them, which are not listed. The key of
the certificate authority, and its namespace with it, stays unless
--delete-ca-secret is given.`,
		Example: `  # What would be removed?
  meshctl uninstall --purge --dry-run

  # Everything, without a question
  meshctl uninstall --purge -y

  # One revision; CRDs, add-ons and other revisions stay
  meshctl uninstall --revision 1-30-2

  # The revision that a file installed
  meshctl uninstall -f mesh.yaml`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), f) },
	}
	o.output = addOutput(c)
	fs := c.Flags()
	fs.BoolVar(&o.purge, "purge", false, "remove everything of all revisions, CRDs and custom resources too")
	fs.StringVarP(&o.revision, "revision", "r", "", "remove one revision of the control plane")
	_ = c.RegisterFlagCompletionFunc("revision", f.completeRevisions)
	fs.StringArrayVarP(&o.files, "filename", "f", nil, "remove the revision that this file of kind IstioOperator installs")
	fs.StringArrayVarP(&o.set, "set", "s", nil, "setting path=value laid over the files, such as revision=1-30-2")
	fs.BoolVar(&o.find.Namespaces, "delete-namespaces", false, "remove the namespaces too in which nothing else is left")
	fs.BoolVar(&o.find.CASecret, "delete-ca-secret", false, "with --purge, remove the key of the certificate authority too")
	fs.BoolVarP(&o.yes, "skip-confirmation", "y", false, "do not ask")
	fs.DurationVar(&o.timeout, "timeout", 5*time.Minute, "longest time for all of it")
	o.dryRun = addDryRun(c)
	addIgnored(c, "force", "there is nothing that needs it")
	addIgnored(c, "verbose", "what is removed is always said")
	return c
}

// complete finds out which revision is meant.
func (o *uninstallOptions) complete(f *Factory) error {
	o.find.Namespace = f.IstioNamespace()
	named := len(o.files) > 0 || len(o.set) > 0
	switch {
	case o.purge && o.revision != "":
		return hint.Usagef("--purge removes all revisions", "uninstalling: --purge and --revision exclude each other")
	case o.purge && named:
		return hint.Usagef("--purge removes all revisions", "uninstalling: --purge excludes --filename and --set")
	case o.revision != "" && named:
		return hint.Usagef("leave --revision out to take it from the file", "uninstalling: --revision excludes --filename and --set")
	case !o.purge && o.revision == "" && !named:
		return hint.Usagef("--purge removes everything, --revision NAME one revision of the control plane", "uninstalling: it takes --purge or --revision")
	case o.find.CASecret && !o.purge:
		return hint.Usagef("other revisions need it too", "uninstalling: --delete-ca-secret goes with --purge")
	}
	if named {
		files, err := install.ReadFiles(o.files, f.IO.In)
		if err != nil {
			return err
		}
		spec, err := install.Resolve(install.Inputs{Files: files, Set: o.set})
		if err != nil {
			return err
		}
		o.revision, o.find.Namespace = spec.Revision, spec.Namespace
	}
	o.find.Purge, o.find.Revision = o.purge, o.revision
	return nil
}

func (o *uninstallOptions) run(ctx context.Context, f *Factory) error {
	if err := o.complete(f); err != nil {
		return err
	}
	client, err := f.Client()
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	cluster := kube.NewObjects(client, install.FieldManager)
	removal, err := install.Find(ctx, cluster, o.find)
	if err != nil {
		return kube.Explain("looking for what is installed", err)
	}
	if n := len(removal.Skipped); n > 0 {
		f.IO.Warnf("%s could not be looked for, as this identity may not list them: %s", plural(n, "kind"), strings.Join(removal.Skipped, ", "))
	}
	users, err := o.concerned(ctx, f, client, removal)
	if err != nil {
		return err
	}
	if o.dryRun.value != dryRunClient {
		if err := removal.Check(ctx, cluster); err != nil {
			return kube.Explain("checking what would be deleted", err)
		}
	}
	if len(removal.Objects) == 0 || o.dryRun.value != dryRunNone {
		f.warnConcerned(users)
		return o.finish(f, removal, client)
	}
	if !o.yes && f.IO.InTTY {
		f.showRemoval(removal, client)
	}
	f.warnConcerned(users)
	if text := removal.ResourcesText(); text != "" && (!o.yes) {
		f.IO.Warnf("with the CRDs the API server deletes %s", text)
	}
	if !o.yes {
		if err := f.confirm(ctx, "Remove "+plural(len(removal.Objects), "object")+"?"); err != nil {
			return err
		}
	}
	return o.remove(ctx, f, cluster, removal, client)
}

// showRemoval shows the list on stderr.
func (f *Factory) showRemoval(removal *install.Removal, client *kube.Client) {
	f.IO.Errf("From context %s (%s):", contextName(client), serverURL(client))
	for _, x := range removal.Report().Objects {
		name := x.Name
		if x.Namespace != "" {
			name = x.Namespace + "/" + x.Name
		}
		f.IO.Errf("  %s %s", x.Kind, name)
	}
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
	for _, kept := range removal.Kept {
		f.progress("stays: %s", kept)
	}
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
	r.Concerned = o.concern
	r.Revision, r.Purge, r.Context, r.Server = o.revision, o.purge, contextName(client), serverURL(client)
	if o.dryRun.value != dryRunNone {
		r.DryRun = o.dryRun.value
	}
	return r
}
