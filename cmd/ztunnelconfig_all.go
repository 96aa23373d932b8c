package cmd

import (
	"github.com/spf13/cobra"
)

func newZtunnelAllCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:   "all [POD|TYPE/NAME]",
		Short: "Show everything that a ztunnel knows",
		Example: `  # All that concerns a pod
  meshctl ztunnel-config all deploy/productpage-v1 --with-headers

  # The same from a dump, without a cluster
  kubectl exec -n istio-system ztunnel-x7k2p -- curl -s localhost:15000/config_dump | meshctl ztunnel-config all -f -`,
	}
	z := addZtunnelFlags(c, f)
	titles := c.Flags().Bool("with-headers", false, "put a title above each table")
	c.RunE = func(c *cobra.Command, args []string) error {
		d, about, err := z.read(c.Context(), args)
		if err != nil {
			return err
		}
		all := d.ListAll(about, f.Now())
		all.Titles = *titles
		return f.print(z.out, all)
	}
	return c
}
