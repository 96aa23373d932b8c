package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/upgrade"
)

// upgradePlanFlags are the flags of upgrade plan.
type upgradePlanFlags struct {
	to, from  string
	revision  string
	listRules bool
	complete  bool
	timeout   time.Duration
	out       *outputFlags
}

func newUpgradePlanCmd(f *Factory) *cobra.Command {
	u := &upgradePlanFlags{}
	c := &cobra.Command{
		Use:   "plan [FILE|DIR|-]...",
		Short: "Say what an upgrade to another version means for this mesh, without changing it",
		Long: `plan compares the version that runs with the one to go to and says what of
this mesh the changes in between concern: removed and deprecated fields, changed
defaults, EnvoyFilters, CRDs, Kubernetes, proxies that are too old. What does
not concern this mesh is not shown. It ends with the steps of the upgrade, and
which of them is next. It changes nothing.

With files, directories or - for stdin it judges those instead of the cluster;
--from then says what runs.

Exit codes: 0 nothing stands in the way; 1 blockers or actions; 2 used wrongly,
or on a cluster something could not be decided. They are the same for every
format.`,
		Example: `  # From what runs to the version of this program
  meshctl upgrade plan

  # To another version
  meshctl upgrade plan --to 1.30.4

  # What would break in a repository of manifests?
  meshctl upgrade plan --from 1.28.3 --to 1.31.1 deploy/

  # Everything there is to know about each object
  meshctl upgrade plan -o json`,
		RunE: func(c *cobra.Command, args []string) error { return u.run(c.Context(), f, args) },
	}
	fs := c.Flags()
	fs.StringVar(&u.to, "to", install.Version, "version to go to")
	fs.StringVar(&u.from, "from", "", "version to come from (default: that of the oldest istiod)")
	fs.StringVarP(&u.revision, "revision", "r", "", "control plane, or tag, to upgrade (default: the oldest)")
	fs.BoolVar(&u.listRules, "list-rules", false, "list all rules instead of applying them")
	fs.BoolVar(&u.complete, "complete", false, "the files are the whole mesh: what is not in them does not exist")
	fs.DurationVar(&u.timeout, "timeout", time.Minute, "longest time for reading and judging")
	u.out = addOutput(c)
	return c
}

func newUpgradeRulesCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "rules",
		Short:   "List what upgrade plan knows of the changes between versions",
		Example: "  meshctl upgrade rules -o wide",
		Args:    exactArgs(),
	}
	out := addOutput(c)
	c.RunE = func(*cobra.Command, []string) error { return printRules(f, out) }
	return c
}

func printRules(f *Factory, out *outputFlags) error {
	list, err := upgrade.List()
	if err != nil {
		return err
	}
	return f.print(out, list)
}

func (u *upgradePlanFlags) run(ctx context.Context, f *Factory, args []string) error {
	if u.listRules {
		return printRules(f, u.out)
	}
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	in := upgrade.Input{To: u.to, From: u.from, Revision: u.revision, Embedded: install.Version}
	var err error
	if len(args) > 0 {
		err = u.readFiles(ctx, f, args, &in)
	} else {
		err = u.readCluster(ctx, f, &in)
	}
	if err != nil {
		return err
	}
	plan, err := upgrade.New(in)
	if err != nil {
		return err
	}
	if err := f.print(u.out, plan); err != nil {
		return err
	}
	switch {
	case plan.Work():
		return errNo
	case in.Live && plan.Summary.Undecided > 0:
		return errUnanswered
	}
	return nil
}

func (u *upgradePlanFlags) readFiles(ctx context.Context, f *Factory, args []string, in *upgrade.Input) error {
	files, err := kube.ReadFiles(ctx, args, f.IO.In)
	if err != nil {
		return err
	}
	for _, b := range files.Broken {
		f.IO.Warnf("%s: cannot be read: %s", b.Position, b.Reason)
	}
	for _, o := range files.Objects {
		o.InNamespace("default")
	}
	in.Snapshot = mesh.New(files.Objects, mesh.Options{Complete: u.complete, IstioNamespace: f.IstioNamespace()})
	return nil
}

func (u *upgradePlanFlags) readCluster(ctx context.Context, f *Factory, in *upgrade.Input) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	kinds, err := upgrade.Reads(u.from, u.to)
	if err != nil {
		return err
	}
	live, err := client.Read(ctx, kube.ReadOptions{Kinds: kinds, Namespaces: []string{f.IstioNamespace()}, IstioNamespace: f.IstioNamespace()})
	if err != nil {
		return err
	}
	if in.Kubernetes, err = serverVersion(client); err != nil {
		return err
	}
	in.Live = true
	in.Snapshot = mesh.New(live.Objects, mesh.Options{Read: live.Read, ReadIn: live.ReadIn, Skipped: live.Skipped, IstioNamespace: f.IstioNamespace()})
	return nil
}
