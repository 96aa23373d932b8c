package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigAllCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "all [POD|TYPE/NAME ...]",
		Aliases: []string{"a"},
		Short:   "Show everything a proxy has: bootstrap, clusters, listeners, routes, secrets, endpoints",
		Long: `all asks a proxy once and shows everything. A filter concerns the parts that have
what it names: --port clusters and listeners, --name routes.`,
		Example: `  # Everything, with a line above each table
  meshctl proxy-config all deploy/productpage-v1 --with-headers

  # Everything as one document
  meshctl proxy-config all deploy/productpage-v1 -o json`,
	}
	d := addDumpFlags(c, f)
	var filter proxyconfig.AllFilter
	var port int
	fs := c.Flags()
	fs.StringVar(&filter.Listener.Address, "address", "", "only listeners on this address")
	fs.StringVar(&filter.Cluster.FQDN, "fqdn", "", "only clusters whose name contains this")
	fs.StringVar(&filter.Cluster.Subset, "subset", "", "only clusters whose subset contains this")
	fs.StringVar(&filter.Cluster.Direction, "direction", "", "only clusters of this direction: inbound, outbound ...")
	fs.StringVar(&filter.Route.Name, "name", "", "only the route table of this name")
	fs.IntVar(&port, "port", 0, "only clusters and listeners of this port")
	kind := addListenerType(c)
	verbose := fs.Bool("verbose", true, "show every filter chain and route; false is one line per listener and route table")
	headings := fs.Bool("with-headers", false, "put a line above each table that says what it is")
	c.RunE = func(c *cobra.Command, args []string) error {
		filter.Listener.Type, filter.Listener.Port, filter.Cluster.Port = kind.value, port, port
		return d.show(c.Context(), args, proxyconfig.AllPath, func(s proxyconfig.Source) (output.Document, error) {
			all, err := proxyconfig.ReadAll(s, filter, f.Now())
			if err != nil {
				return nil, err
			}
			f.warnMissing(all.Proxy, all.Missing)
			all.Brief, all.Headings = !*verbose, *headings
			return all, nil
		})
	}
	return c
}
