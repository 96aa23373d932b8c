package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigListenerCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "listener [POD|TYPE/NAME ...]",
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
	kind := addListenerType(c)
	verbose := c.Flags().Bool("verbose", true, "show every filter chain; false is one line per listener")
	waypoint := c.Flags().Bool("waypoint", false, "name listeners and chains, as waypoints have no addresses")
	_ = c.Flags().MarkHidden("waypoint")
	c.RunE = func(c *cobra.Command, args []string) error {
		filter.Type = kind.value
		return d.show(c.Context(), args, proxyconfig.ListenersPath, func(s proxyconfig.Source) (output.Document, error) {
			list, err := proxyconfig.ReadListeners(s, filter)
			if err != nil {
				return nil, err
			}
			list.Brief, list.Waypoint = !*verbose, *waypoint
			return list, nil
		})
	}
	return c
}

func addListenerType(c *cobra.Command) *enum {
	kind := newEnum("", "HTTP", "TCP", "HTTP+TCP", "UNKNOWN")
	addEnum(c, kind, "type", "", "only listeners of this type")
	return kind
}
