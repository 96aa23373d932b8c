package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/ztunnel"
)

func newZtunnelConnectionsCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "connections [POD|TYPE/NAME]",
		Aliases: []string{"cons"},
		Short:   "Show the connections that are open through a ztunnel",
		Example: `  # Who is connected to this workload?
  meshctl ztunnel-config connections deploy/productpage-v1 --direction inbound

  # All of a node, with addresses instead of names
  meshctl ztunnel-config connections --node worker-1 --raw`,
	}
	z := addZtunnelFlags(c, f)
	z.one = true
	var filter ztunnel.ConnectionFilter
	direction := newEnum("", "inbound", "outbound")
	addEnum(c, direction, "direction", "", "only connections of this direction")
	c.Flags().StringVar(&filter.Namespace, "workload-namespace", "", "only connections of workloads of this namespace")
	c.Flags().BoolVar(&filter.Raw, "raw", false, "show addresses instead of names")
	c.RunE = func(c *cobra.Command, args []string) error {
		d, about, err := z.read(c.Context(), args, ztunnel.Workloads, ztunnel.Services, ztunnel.States)
		if err != nil {
			return err
		}
		filter.Pod, filter.Direction = about, direction.value
		return f.print(z.out, d.ListConnections(filter))
	}
	return c
}
