package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigEndpointCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "endpoint [POD|TYPE/NAME]",
		Aliases: []string{"endpoints", "ep"},
		Short:   "Show the endpoints of a proxy and their health",
		Example: `  # The endpoints of one cluster
  meshctl proxy-config endpoint deploy/productpage-v1 --cluster 'outbound|9080||reviews.default.svc.cluster.local'

  # Which endpoints does this proxy hold for unhealthy?
  meshctl proxy-config endpoint deploy/productpage-v1 --status unhealthy`,
	}
	d := addDumpFlags(c, f)
	var filter proxyconfig.EndpointFilter
	c.Flags().StringVar(&filter.Address, "address", "", "only endpoints with this address")
	c.Flags().IntVar(&filter.Port, "port", 0, "only endpoints on this port")
	c.Flags().StringVar(&filter.Cluster, "cluster", "", "only endpoints of this cluster")
	c.Flags().StringVar(&filter.Status, "status", "", "only endpoints with this status: healthy, unhealthy, draining ...")
	c.RunE = func(c *cobra.Command, args []string) error {
		return d.read(c.Context(), args, proxyconfig.EndpointsPath, func(s proxyconfig.Source) error {
			list, err := proxyconfig.ReadEndpoints(s, filter)
			if err != nil {
				return err
			}
			if list.Missing > 0 {
				f.IO.Warnf("%s was taken without include_eds: the endpoints of %d clusters are not in it", list.Proxy, list.Missing)
			}
			return f.print(d.out, list)
		})
	}
	return c
}
