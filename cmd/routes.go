package cmd

import (
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
	"github.com/meshctl/meshctl/internal/proxyconfig/trace"
)

func newRoutesCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:   "routes [POD|TYPE/NAME]",
		Short: "List the routes of a gateway or any proxy in the order in which they are tried",
		Long: `routes lists every route that a proxy has: its port, TLS, hosts and match, where it
leads, and the object that it comes from. Hosts stand in the order in which Envoy
looks for them (whole names, wildcards, the longest first, then *), routes in the
order in which it tries them. A route is marked as never reached where one before
it surely takes all that it would.

With --host it is what requests for that host meet: on each port the one virtual
host that Envoy chooses. Exit code 1 says that no port has one.`,
		Example: `  # Everything that the ingress gateway serves
  meshctl routes deploy/istio-ingressgateway -n istio-system

  # Only what requests for shop.example.com meet
  meshctl routes deploy/istio-ingressgateway -n istio-system --host shop.example.com

  # From a dump, without a cluster
  meshctl routes -f config_dump.json --host backend.shop`,
		GroupID: groupProxy,
	}
	d := addDumpFlags(c, f)
	host := c.Flags().String("host", "", "only what requests for this host meet")
	c.RunE = func(c *cobra.Command, args []string) error {
		var served atomic.Bool
		err := d.show(c.Context(), args, trace.RoutesPath, func(s proxyconfig.Source) (output.Document, error) {
			list, err := trace.ReadRoutes(s, *host)
			if err != nil {
				return nil, err
			}
			if len(list.Served) > 0 {
				served.Store(true)
			}
			return list, nil
		})
		if err != nil {
			return err
		}
		if *host != "" && !served.Load() {
			return errNo
		}
		return nil
	}
	return c
}
