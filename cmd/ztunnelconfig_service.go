package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/ztunnel"
)

func newZtunnelServiceCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "service [POD|TYPE/NAME]",
		Aliases: []string{"services", "s", "svc"},
		Short:   "Show the services that a ztunnel knows, and how many of their endpoints are healthy",
		Example: `  # The services of a namespace, with hosts and ports
  meshctl ztunnel-config service --service-namespace shop -o wide

  # The services that a pod is behind
  meshctl ztunnel-config service deploy/productpage-v1`,
	}
	z := addZtunnelFlags(c, f)
	var filter ztunnel.ServiceFilter
	c.Flags().StringVar(&filter.Namespace, "service-namespace", "", "only services of this namespace")
	c.RunE = func(c *cobra.Command, args []string) error {
		d, about, err := z.read(c.Context(), args, ztunnel.Workloads, ztunnel.Services)
		if err != nil {
			return err
		}
		filter.Pod = about
		return f.print(z.out, d.ListServices(filter))
	}
	return c
}
