package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigBootstrapCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "bootstrap [POD|TYPE/NAME ...]",
		Aliases: []string{"b"},
		Short:   "Show what a proxy started with: versions, identity, control plane",
		Example: `  # Versions, workload, revision and discovery address
  meshctl proxy-config bootstrap deploy/productpage-v1 -o wide

  # All of it
  meshctl proxy-config bootstrap deploy/productpage-v1 -o json`,
	}
	d := addDumpFlags(c, f)
	c.RunE = func(c *cobra.Command, args []string) error {
		return d.show(c.Context(), args, proxyconfig.BootstrapPath, func(s proxyconfig.Source) (output.Document, error) {
			return proxyconfig.ReadBootstrap(s)
		})
	}
	return c
}
