package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/ztunnel"
)

func newZtunnelWorkloadCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "workload [POD|TYPE/NAME]",
		Aliases: []string{"workloads", "w"},
		Short:   "Show the workloads that a ztunnel knows, and how it reaches them",
		Example: `  # The workloads of a namespace
  meshctl ztunnel-config workload --workload-namespace shop

  # Who has this address, and which identity and policies has it?
  meshctl ztunnel-config workload --address 10.244.1.7 -o wide`,
	}
	z := addZtunnelFlags(c, f)
	var filter ztunnel.WorkloadFilter
	c.Flags().StringVar(&filter.Address, "address", "", "only workloads with this address")
	c.Flags().StringVar(&filter.Namespace, "workload-namespace", "", "only workloads of this namespace")
	c.Flags().StringVar(&filter.Node, "workload-node", "", "only workloads on this node")
	c.RunE = func(c *cobra.Command, args []string) error {
		d, about, err := z.read(c.Context(), args, ztunnel.Workloads, ztunnel.Services)
		if err != nil {
			return err
		}
		filter.Pod = about
		return f.print(z.out, d.ListWorkloads(filter))
	}
	return c
}
