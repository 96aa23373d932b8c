package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/discovery"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/ui"
)

type installOptions struct {
	render  renderFlags
	output  *outputFlags
	yes     bool
	force   bool
	dryRun  *enum
	timeout time.Duration
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

The plan is shown first: it comes from a dry run by the API server, so that
conflicts and missing permissions come up before anything is changed. Fields
that another manager owns are not taken over without --force-conflicts. The
command waits until everything is ready, and says why if it is not; it can be
run again after any interruption, and a second run writes nothing.`,
		Example: `  # The demo profile with its add-ons; ask before anything is changed
  meshctl install --profile demo

  # What would change?
  meshctl install --profile demo --dry-run

  # As istioctl's users write it
  meshctl install --set profile=demo -y

  # Own settings over a profile, images from another registry
  meshctl install -f mesh.yaml --set hub=registry.example.com/istio --timeout 10m`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), f) },
	}
	o.render.add(c)
	o.output = addOutput(c)
	fs := c.Flags()
	fs.BoolVarP(&o.yes, "skip-confirmation", "y", false, "do not ask")
	fs.BoolVar(&o.force, "force-conflicts", false, "take over fields that other managers own")
	fs.DurationVar(&o.timeout, "timeout", 5*time.Minute, "longest time for all of it")
	fs.DurationVar(&o.timeout, "readiness-timeout", 5*time.Minute, "the same as --timeout")
	o.dryRun = addDryRun(c)
	addIgnored(c, "verify", "every install verifies itself")
	return c
}

func (o *installOptions) run(ctx context.Context, f *Factory) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	version := ""
	if o.dryRun.value != dryRunClient {
		if version, err = serverVersion(client); err != nil {
			return err
		}
		o.render.settle = f.settleDefault(ctx, client)
	}
	spec, manifest, err := o.render.render(f, version, true) //nolint:contextcheck // rendering is pure and takes none
	if err != nil {
		return err
	}
	for _, w := range manifest.Warnings {
		f.IO.Warnf("%s", w)
	}
	if o.dryRun.value == dryRunClient {
		return f.print(o.output, describe(install.Unchecked(manifest), spec, client, dryRunClient))
	}
	ctx, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	cluster := kube.NewObjects(client, install.FieldManager)
	plan := install.PlanOptions{Force: o.force, Namespace: spec.Namespace, Network: spec.Network()}
	p, err := install.NewPlan(ctx, cluster, manifest, plan)
	if err != nil {
		return kube.Explain("planning the install", err)
	}
	f.announce(spec, client, p)
	if o.dryRun.value == dryRunServer {
		return f.print(o.output, describe(p.Planned(), spec, client, dryRunServer))
	}
	if !p.Empty() && !o.yes {
		if err := f.confirm(ctx, "Install this?"); err != nil {
			return err
		}
	}
	return o.apply(ctx, f, cluster, p, plan, spec, client)
}

func (o *installOptions) apply(ctx context.Context, f *Factory, c install.Cluster, p *install.Plan, plan install.PlanOptions, spec *install.Spec, client *kube.Client) error {
	progress := newInstallProgress(f, p)
	plan.Progress = progress.see
	report, err := p.Apply(ctx, c, plan)
	progress.close()
	if printErr := f.print(o.output, describe(report, spec, client, "")); printErr != nil {
		return printErr
	}
	if err != nil {
		if errors.Is(ctx.Err(), context.Canceled) {
			f.IO.Error(err, hint.Of(err))
		}
		return kube.Explain("installing", err)
	}
	for _, c := range report.Components {
		for _, note := range c.Notes {
			f.IO.Warnf("%s", note)
		}
	}
	if !p.Empty() {
		f.nextSteps(spec, report)
	}
	return nil
}

// announce says where the plan goes and what it does.
func (f *Factory) announce(spec *install.Spec, client *kube.Client, p *install.Plan) {
	name, server := client.Context()
	f.IO.Errf("Istio %s, profile %s, into namespace %s of context %s (%s)", spec.Tag, spec.Profile, spec.Namespace, name, server)
	f.IO.Errf("%d objects in %d components: %d to create, %d to change, %d unchanged", len(p.Steps), len(p.Components),
		p.Count("", install.Create), p.Count("", install.Change), p.Count("", install.Keep))
}

// nextSteps says what one does after an install.
func (f *Factory) nextSteps(spec *install.Spec, report *install.Report) {
	if f.IO.Quiet || len(report.Components) == 0 {
		return
	}
	join := "inject sidecars into a namespace: kubectl label namespace NAME istio-injection=enabled"
	if spec.Revision != "default" {
		join = "inject sidecars into a namespace: kubectl label namespace NAME istio.io/rev=" + spec.Revision
	}
	for _, c := range report.Components {
		if c.Name == "ztunnel" {
			join = "take a namespace into the mesh: kubectl label namespace NAME istio.io/dataplane-mode=ambient"
		}
	}
	steps := []string{join, "check the configuration: meshctl analyze -A"}
	for _, a := range spec.Addons {
		if a == "kiali" {
			steps = append(steps, "look at the mesh: meshctl dashboard kiali")
		}
	}
	f.IO.Errf("%s %s", f.IO.Style().Strong("next:"), strings.Join(steps, "\n      "))
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

// describe completes a report with where it is from.
func describe(r *install.Report, spec *install.Spec, client *kube.Client, dryRun string) *install.Report {
	r.Profile, r.Revision, r.Namespace, r.Version, r.DryRun = spec.Profile, spec.Revision, spec.Namespace, spec.Tag, dryRun
	if dryRun != dryRunClient {
		r.Context, r.Server = client.Context()
	}
	return r
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
