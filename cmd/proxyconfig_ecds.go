package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigECDSCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "ecds [POD|TYPE/NAME ...]",
		Aliases: []string{"ec"},
		Short:   "Show the filters that istiod sends to a proxy apart from its listeners",
		Example: `  # Which Wasm plugins and extensions did this proxy get?
  meshctl proxy-config ecds deploy/productpage-v1`,
	}
	d := addDumpFlags(c, f)
	c.RunE = func(c *cobra.Command, args []string) error {
		return d.show(c.Context(), args, proxyconfig.ECDSPath, func(s proxyconfig.Source) (output.Document, error) {
			return proxyconfig.ReadECDS(s)
		})
	}
	return c
}
