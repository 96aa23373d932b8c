package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigListenerCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "listener [POD|TYPE/NAME]",
		Aliases: []string{"listeners", "l"},
		Short:   "Show the listeners of a proxy and where each filter chain leads",
		Example: `  # Where does traffic to port 9080 go?
  meshctl proxy-config listener deploy/productpage-v1 --port 9080

  # One line per listener
  meshctl proxy-config listener deploy/productpage-v1 --verbose=false`,
	}
	d := addDumpFlags(c, f)
	var filter proxyconfig.ListenerFilter
	c.Flags().StringVar(&filter.Address, "address", "", "only listeners on this address")
	c.Flags().IntVar(&filter.Port, "port", 0, "only listeners on this port")
	kind := newEnum("", "HTTP", "TCP", "HTTP+TCP", "UNKNOWN")
	addEnum(c, kind, "type", "", "only listeners of this type")
	verbose := c.Flags().Bool("verbose", true, "show every filter chain; false is one line per listener")
	c.RunE = func(c *cobra.Command, args []string) error {
		filter.Type = kind.value
		return d.read(c.Context(), args, proxyconfig.ListenersPath, func(s proxyconfig.Source) error {
			list, err := proxyconfig.ReadListeners(s, filter)
			if err != nil {
				return err
			}
			list.Brief = !*verbose
			return f.print(d.out, list)
		})
	}
	return c
}
