package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

func newProxyConfigSecretCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "secret [POD|TYPE/NAME ...]",
		Aliases: []string{"secrets", "s"},
		Short:   "Show the certificates of a proxy, their validity and what is still awaited",
		Example: `  # Is the certificate of this pod still good, and for which names?
  meshctl proxy-config secret deploy/productpage-v1 -o wide`,
	}
	d := addDumpFlags(c, f)
	c.RunE = func(c *cobra.Command, args []string) error {
		return d.show(c.Context(), args, proxyconfig.SecretsPath, func(s proxyconfig.Source) (output.Document, error) {
			return proxyconfig.ReadSecrets(s, f.Now())
		})
	}
	return c
}
