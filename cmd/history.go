package cmd

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
)

type historyOptions struct {
	output   *outputFlags
	revision string
}

func newHistoryCmd(f *Factory) *cobra.Command {
	var o historyOptions
	c := &cobra.Command{
		Use:     "history",
		GroupID: groupInstall,
		Short:   "List what was installed when, and by whom",
		Long: `List the last ten installs, upgrades and rollbacks of every revision of the
control plane, with what they were asked for. ` + "`meshctl rollback`" + ` goes back to
one of them.`,
		Example: `  meshctl history

  # The inputs of every entry, whole
  meshctl history --revision canary -o yaml`,
		Args: exactArgs(),
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), f) },
	}
	o.output = addOutput(c)
	c.Flags().StringVarP(&o.revision, "revision", "r", "", "revision of the control plane (default: all)")
	return c
}

func (o *historyOptions) run(ctx context.Context, f *Factory) error {
	client, err := f.Client()
	if err != nil {
		return err
	}
	cluster := kube.NewObjects(client, install.FieldManager)
	all, err := install.Inventories(ctx, cluster, f.IstioNamespace())
	if err != nil {
		return kube.Explain("reading the history", err)
	}
	if o.revision != "" {
		inv, err := pickInventory(all, f.IstioNamespace(), o.revision)
		if err != nil {
			return err
		}
		all = []*install.Inventory{inv}
	}
	h, err := install.NewHistory(ctx, cluster, all)
	if err != nil {
		return kube.Explain("reading the history", err)
	}
	return f.print(o.output, &historyDocument{h, f.Now()})
}

// historyDocument is a history with the time at which it is looked at.
type historyDocument struct {
	*install.History
	now time.Time
}

// Tables has a line per entry, the latest last.
func (h *historyDocument) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"REVISION", "NUMBER", "STATUS", "AGE", "VERSION", "PROFILE", "ACTION", "CHANGES", "BY"},
		Empty:   "nothing was installed by meshctl, or its record is gone",
	}
	if wide {
		t.Columns = append(t.Columns, "INPUTS", "ERROR")
	}
	for _, e := range h.Entries {
		row := []string{e.Revision, fmt.Sprint(e.Number), string(e.Status), duration.HumanDuration(h.now.Sub(e.Time.Time)), e.Version, e.Profile, e.Action, e.Changes, e.By}
		if wide {
			row = append(row, e.Inputs.String(), e.Error)
		}
		t.Rows = append(t.Rows, row)
	}
	return []output.Table{t}
}

// inventoryOf reads what is recorded of one revision; "" is the only one there is.
func inventoryOf(ctx context.Context, c install.Reader, namespace, revision string) (*install.Inventory, error) {
	all, err := install.Inventories(ctx, c, namespace)
	if err != nil {
		return nil, kube.Explain("reading the history", err)
	}
	return pickInventory(all, namespace, revision)
}

func pickInventory(all []*install.Inventory, namespace, revision string) (*install.Inventory, error) {
	var names []string
	for _, inv := range all {
		names = append(names, inv.Revision)
		if inv.Revision == revision || revision == "" && len(all) == 1 {
			return inv, nil
		}
	}
	switch {
	case len(all) == 0:
		return nil, hint.Unanswerablef("name another namespace with -i; what istioctl or Helm installed becomes meshctl's with `meshctl install --take-ownership`",
			"looking for the history: nothing in namespace %s was installed by meshctl", namespace)
	case revision == "" && slices.Contains(names, install.DefaultRevision):
		return pickInventory(all, namespace, install.DefaultRevision)
	case revision == "":
		return nil, hint.Usagef(fmt.Sprintf("one of %v with --revision", names), "looking for the history: there are %d revisions", len(all))
	}
	return nil, hint.Usagef(cmp.Or(hint.DidYouMean(revision, names), fmt.Sprintf("there is %v", names)),
		"looking for the history: revision %q is not recorded in namespace %s", revision, namespace)
}
