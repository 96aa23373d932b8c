package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigClusterCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "cluster [POD|TYPE/NAME ...]",
		Aliases: []string{"clusters", "c"},
		Short:   "Show the upstream clusters of a proxy",
		Example: `  # All clusters of a pod
  meshctl proxy-config cluster productpage-v1-6b746f74dc-9stvs.default

  # How does this proxy reach port 9080 of reviews, and with which timeouts?
  meshctl proxy-config cluster deploy/productpage-v1 --fqdn reviews --port 9080 -o wide`,
	}
	d := addDumpFlags(c, f)
	var filter proxyconfig.ClusterFilter
	c.Flags().StringVar(&filter.FQDN, "fqdn", "", "only clusters whose name contains this")
	c.Flags().IntVar(&filter.Port, "port", 0, "only clusters of this port")
	c.Flags().StringVar(&filter.Subset, "subset", "", "only clusters whose subset contains this")
	c.Flags().StringVar(&filter.Direction, "direction", "", "only clusters of this direction: inbound, outbound ...")
	c.RunE = func(c *cobra.Command, args []string) error {
		return d.show(c.Context(), args, proxyconfig.ClustersPath, func(s proxyconfig.Source) (output.Document, error) {
			return proxyconfig.ReadClusters(s, filter)
		})
	}
	return c
}
