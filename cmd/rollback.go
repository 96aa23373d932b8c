package cmd

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
)

type rollbackOptions struct {
	apply    applyFlags
	revision string
}

func newRollbackCmd(f *Factory) *cobra.Command {
	var o rollbackOptions
	c := &cobra.Command{
		Use:     "rollback [NUMBER]",
		GroupID: groupInstall,
		Short:   "Go back to what was installed before",
		Long: `Bring a revision of the control plane back to what an entry of its history
applied: the one before the current, or the one with NUMBER. CRDs stay as they
are, for with them would go all custom resources. What is done is planned, shown
and recorded as an install is.`,
		Example: `  # What is there to go back to?
  meshctl history

  # What would going back change?
  meshctl rollback --diff

  # Back to entry 3, without a question
  meshctl rollback 3 -y`,
		Args: maxArgs(1, "the number of an entry"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.apply.settle(c); err != nil {
				return err
			}
			if o.apply.dryRun.value == dryRunClient {
				return hint.Usagef("use --dry-run=server", "rolling back: what was installed stands in the cluster, which --dry-run=client does not ask")
			}
			return o.run(c.Context(), f, args)
		},
	}
	o.apply.add(c)
	c.Flags().StringVarP(&o.revision, "revision", "r", "", "revision of the control plane (default: default, or the only one)")
	return c
}

func (o *rollbackOptions) run(ctx context.Context, f *Factory, args []string) error {
	number := 0
	if len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 {
			return hint.Usagef("`meshctl history` lists the numbers", "rolling back: %q is not the number of an entry", args[0])
		}
		number = n
	}
	client, err := f.Client()
	if err != nil {
		return err
	}
	cluster := kube.NewObjects(client, install.FieldManager)
	inv, err := inventoryOf(ctx, cluster, f.IstioNamespace(), o.revision)
	if err != nil {
		return err
	}
	entry, err := pickEntry(inv, number)
	if err != nil {
		return err
	}
	manifest, in, err := inv.Restore(ctx, cluster, entry.Number)
	if err != nil {
		return kube.Explain("reading the history", err)
	}
	run := &applyRun{
		applyFlags: &o.apply, f: f, client: client, cluster: cluster, manifest: manifest,
		target: rollbackTarget(inv, entry, in, f.IstioNamespace()),
	}
	return run.run(ctx)
}

// pickEntry is the entry to go back to: that with a number, or with 0 the good
// one before the last.
func pickEntry(inv *install.Inventory, number int) (*install.Entry, error) {
	if number > 0 {
		if e := inv.Entry(number); e != nil {
			return e, nil
		}
		return nil, hint.Usagef("`meshctl history` lists them", "rolling back: entry %d of revision %s is not kept", number, inv.Revision)
	}
	if e := inv.Previous(); e != nil {
		return e, nil
	}
	return nil, hint.Failf("`meshctl history` shows what was installed", "rolling back: revision %s has no good entry before the last", inv.Revision)
}

func rollbackTarget(inv *install.Inventory, e *install.Entry, in install.Inputs, namespace string) target {
	return target{
		profile: e.Profile, revision: inv.Revision, namespace: namespace, version: e.Version,
		action: fmt.Sprintf("rollback to %d", e.Number), inputs: in,
	}
}

// entryTitle names an entry of a history in a sentence.
func entryTitle(e *install.Entry) string {
	return fmt.Sprintf("entry %d (%s, Istio %s, %s UTC)", e.Number, e.Action, e.Version, e.Time.UTC().Format("2006-01-02 15:04"))
}
