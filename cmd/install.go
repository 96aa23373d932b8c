package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"k8s.io/client-go/discovery"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/ui"
)

type installOptions struct {
	render renderFlags
	apply  applyFlags
}

func newInstallCmd(f *Factory) *cobra.Command {
	var o installOptions
	c := &cobra.Command{
		Use:     "install",
		Aliases: []string{"apply"},
		GroupID: groupInstall,
		Short:   "Install Istio, or bring an install up to date",
		Long: `Install Istio from a profile, or bring an existing install to what the profile,
the files and the settings say.

The plan is shown first: what is created, changed (and which fields), pruned,
taken over or in conflict. It comes from a dry run by the API server, so that
conflicts and missing permissions come up before anything is changed. Fields
that another manager owns are not taken over without --force-conflicts, and
objects of istioctl's or of a Helm release not without --take-ownership. Only
what the inventory in the control plane's namespace says is ours is pruned.

The command waits until everything is ready, and says why if it is not; it can
be run again after any interruption, and a second run writes nothing. With
--dry-run and --diff the exit code is 0 when nothing would change, 1 when
something would, 2 when that can't be told.`,
		Example: `  # The demo profile with its add-ons; ask before anything is changed
  meshctl install --profile demo

  # What would change?
  meshctl install --profile demo --dry-run
  meshctl install --profile demo --diff

  # As istioctl's users write it
  meshctl install --set profile=demo -y

  # Own settings over a profile, images from another registry
  meshctl install -f mesh.yaml --set hub=registry.example.com/istio --timeout 10m

  # Carry on where istioctl or Helm left off
  meshctl install -f mesh.yaml --take-ownership`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.apply.settle(c); err != nil {
				return err
			}
			return o.run(c.Context(), f)
		},
	}
	o.render.add(c)
	o.apply.add(c)
	addIgnored(c, "verify", "every install verifies itself")
	return c
}

func (o *installOptions) run(ctx context.Context, f *Factory) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	version := ""
	if o.apply.dryRun.value != dryRunClient {
		if version, err = serverVersion(client); err != nil {
			return err
		}
		o.render.settle = f.settleDefault(ctx, client)
	}
	in, spec, manifest, err := o.render.render(f, version, true) //nolint:contextcheck // rendering is pure and takes none
	if err != nil {
		return err
	}
	for _, w := range manifest.Warnings {
		f.IO.Warnf("%s", w)
	}
	run := &applyRun{
		applyFlags: &o.apply, f: f, client: client, cluster: kube.NewObjects(client, install.FieldManager),
		manifest: manifest, target: targetOf(spec, in, "install"),
	}
	return run.run(ctx)
}

// confirm asks before a cluster is changed. Where nobody can answer it is a usage error.
func (f *Factory) confirm(ctx context.Context, question string) error {
	yes, err := f.IO.Confirm(ctx, question)
	switch {
	case errors.Is(err, ui.ErrNoTerminal):
		return hint.Usagef("add -y to go ahead without asking, or --dry-run to only look", "asking before the cluster is changed: %w", err)
	case err != nil:
		return err
	case !yes:
		return hint.Failf("", "nothing was changed: the answer was no")
	}
	return nil
}

func contextName(client *kube.Client) string {
	name, _ := client.Context()
	return name
}

func serverURL(client *kube.Client) string {
	_, server := client.Context()
	return server
}

// plural is "1 object" or "2 objects".
func plural(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func doneIf(ok bool) ui.Mark {
	if ok {
		return ui.Done
	}
	return ui.Trouble
}

func serverVersion(client *kube.Client) (string, error) {
	cfg, err := client.Config()
	if err != nil {
		return "", err
	}
	d, err := discovery.NewDiscoveryClientForConfig(cfg)
	if err != nil {
		return "", fmt.Errorf("making a client: %w", err)
	}
	v, err := d.ServerVersion()
	if err != nil {
		return "", kube.Explain("asking the API server for its version", err)
	}
	return v.GitVersion, nil
}
