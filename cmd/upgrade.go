package cmd

import (
	"cmp"
	"context"

	"github.com/Masterminds/semver/v3"
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
)

type upgradeOptions struct {
	render    renderFlags
	apply     applyFlags
	downgrade bool
}

func newUpgradeCmd(f *Factory) *cobra.Command {
	var o upgradeOptions
	c := &cobra.Command{
		Use:     "upgrade",
		GroupID: groupInstall,
		Short:   "Bring what is installed to this version of Istio",
		Long: `Bring a revision of the control plane to the version of Istio that this meshctl
carries. Without --profile, -f and --manifests it takes those of the last
install, from the history, with --set on top of its settings. Otherwise it does
what install does: it plans, shows, asks and waits. An older version than the
installed one takes --allow-downgrade.`,
		Example: `  # What does the new version mean for this mesh?
  meshctl upgrade plan

  # What would change?
  meshctl upgrade --diff

  # With the inputs of the last install
  meshctl upgrade -y --rollback-on-failure

  # With inputs of its own
  meshctl upgrade -f mesh.yaml`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.apply.settle(c); err != nil {
				return err
			}
			return o.run(c.Context(), f)
		},
	}
	c.AddCommand(newUpgradePlanCmd(f), newUpgradeRulesCmd(f))
	o.render.add(c)
	o.apply.add(c)
	c.Flags().BoolVar(&o.downgrade, "allow-downgrade", false, "go to an older version of Istio too")
	return c
}

func (o *upgradeOptions) run(ctx context.Context, f *Factory) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	version, err := serverVersion(client)
	if err != nil {
		return err
	}
	cluster := kube.NewObjects(client, install.FieldManager)
	inv, err := inventoryOf(ctx, cluster, f.IstioNamespace(), o.render.revision)
	if err != nil {
		return err
	}
	last := inv.Current()
	if last == nil {
		return hint.Failf("`meshctl history` shows what was tried; `meshctl install` brings it to an end", "upgrading: revision %s was never wholly installed", inv.Revision)
	}
	in, err := o.inputs(ctx, f, cluster, inv, last)
	if err != nil {
		return err
	}
	in.KubeVersion, in.Guard = version, true
	spec, manifest, err := renderInputs(in, f.settleDefault(ctx, client)) //nolint:contextcheck // rendering is pure and takes none
	if err != nil {
		return err
	}
	if older(spec.Tag, last.Version) && !o.downgrade {
		return hint.Usagef("`meshctl rollback` goes back to what was installed before; --allow-downgrade goes ahead",
			"upgrading: Istio %s is older than the installed %s", spec.Tag, last.Version)
	}
	for _, w := range manifest.Warnings {
		f.IO.Warnf("%s", w)
	}
	if spec.Tag != install.Version && !o.render.whole() {
		f.IO.Warnf("the inputs of the last install pin the tag %s, and this meshctl carries Istio %s: --set tag=%s goes there", spec.Tag, install.Version, install.Version)
	}
	f.IO.Errf("upgrade from Istio %s to %s", last.Version, spec.Tag)
	run := &applyRun{applyFlags: &o.apply, f: f, client: client, cluster: cluster, manifest: manifest, target: targetOf(spec, in, "upgrade")}
	return run.run(ctx)
}

// inputs are those of the last install with the settings that are given on top;
// a profile, files or charts of their own take their place.
func (o *upgradeOptions) inputs(ctx context.Context, f *Factory, c install.Reader, inv *install.Inventory, last *install.Entry) (install.Inputs, error) {
	if o.render.whole() {
		return o.render.inputs(f)
	}
	_, in, err := inv.Recall(ctx, c, last.Number)
	if err != nil {
		return in, kube.Explain("reading the inputs of the last install", err)
	}
	in.Set = append(in.Set, o.render.set...)
	if o.render.registry != "" {
		in.Registry = o.render.registry
	}
	f.progress("with the inputs of %s: %s", entryTitle(last), cmp.Or(in.String(), "none"))
	return in, nil
}

// older says whether a version comes before another. What is no version, such as
// latest, is older than nothing.
func older(version, than string) bool {
	a, errA := semver.NewVersion(version)
	b, errB := semver.NewVersion(than)
	return errA == nil && errB == nil && a.LessThan(b)
}
