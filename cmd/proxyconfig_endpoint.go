package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigEndpointCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "endpoint [POD|TYPE/NAME ...]",
		Aliases: []string{"endpoints", "ep"},
		Short:   "Show the endpoints of a proxy and their health",
		Example: `  # The endpoints of one cluster
  meshctl proxy-config endpoint deploy/productpage-v1 --cluster 'outbound|9080||reviews.default.svc.cluster.local'

  # Which endpoints does this proxy hold for unhealthy?
  meshctl proxy-config endpoint deploy/productpage-v1 --status unhealthy`,
	}
	d := addDumpFlags(c, f)
	filter := addEndpointFilter(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return d.show(c.Context(), args, proxyconfig.EndpointsPath, func(s proxyconfig.Source) (output.Document, error) {
			return f.endpoints(proxyconfig.ReadEndpoints(s, *filter))
		})
	}
	return c
}

func newProxyConfigEDSCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "eds [POD|TYPE/NAME ...]",
		Short:   "Show the endpoints that istiod sent to a proxy, by cluster",
		Example: `  meshctl proxy-config eds deploy/productpage-v1 --port 9080`,
		Hidden:  true, // as in istioctl
	}
	d := addDumpFlags(c, f)
	filter := addEndpointFilter(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return d.show(c.Context(), args, proxyconfig.EDSPath, func(s proxyconfig.Source) (output.Document, error) {
			return f.endpoints(proxyconfig.ReadEDS(s, *filter))
		})
	}
	return c
}

func addEndpointFilter(c *cobra.Command) *proxyconfig.EndpointFilter {
	filter := &proxyconfig.EndpointFilter{}
	c.Flags().StringVar(&filter.Address, "address", "", "only endpoints with this address")
	c.Flags().IntVar(&filter.Port, "port", 0, "only endpoints on this port")
	c.Flags().StringVar(&filter.Cluster, "cluster", "", "only endpoints of this cluster")
	c.Flags().StringVar(&filter.Status, "status", "", "only endpoints with this status: healthy, unhealthy, draining ...")
	return filter
}

// endpoints says what a list of endpoints lacks.
func (f *Factory) endpoints(list *proxyconfig.EndpointList, err error) (output.Document, error) {
	if err != nil {
		return nil, err
	}
	f.warnMissing(list.Proxy, list.Missing)
	return list, nil
}

// warnMissing says that a dump was taken without the endpoints of n clusters.
func (f *Factory) warnMissing(proxy string, n int) {
	if n > 0 {
		f.IO.Warnf("%s was taken without include_eds: the endpoints of %d clusters are not in it", proxy, n)
	}
}
