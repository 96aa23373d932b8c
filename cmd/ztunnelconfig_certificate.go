package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/ztunnel"
)

func newZtunnelCertificateCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "certificate [POD|TYPE/NAME]",
		Aliases: []string{"certificates", "certs", "cert"},
		Short:   "Show the certificates that a ztunnel holds for the workloads of its node",
		Example: `  # Are the certificates of this node still good?
  meshctl ztunnel-config certificate --node worker-1 -o wide

  # The certificate of one workload
  meshctl ztunnel-config certificate deploy/productpage-v1`,
	}
	z := addZtunnelFlags(c, f)
	z.one = true
	c.RunE = func(c *cobra.Command, args []string) error {
		d, about, err := z.read(c.Context(), args, ztunnel.Certificates)
		if err != nil {
			return err
		}
		return f.print(z.out, d.ListCertificates(about, f.Now()))
	}
	return c
}
