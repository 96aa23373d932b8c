package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigRouteCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "route [POD|TYPE/NAME ...]",
		Aliases: []string{"routes", "r"},
		Short:   "Show the HTTP routes of a proxy, in the order in which it tries them",
		Example: `  # The routes of port 9080, with destinations, timeouts and retries
  meshctl proxy-config route deploy/productpage-v1 --name 9080 -o wide`,
	}
	d := addDumpFlags(c, f)
	var filter proxyconfig.RouteFilter
	c.Flags().StringVar(&filter.Name, "name", "", "only the route table of this name")
	verbose := c.Flags().Bool("verbose", true, "show every route; false is one line per route table")
	c.RunE = func(c *cobra.Command, args []string) error {
		return d.show(c.Context(), args, proxyconfig.RoutesPath, func(s proxyconfig.Source) (output.Document, error) {
			list, err := proxyconfig.ReadRoutes(s, filter)
			if err != nil {
				return nil, err
			}
			list.Brief = !*verbose
			return list, nil
		})
	}
	return c
}
