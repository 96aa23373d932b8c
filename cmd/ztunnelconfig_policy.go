package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/ztunnel"
)

func newZtunnelPolicyCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "policy [POD|TYPE/NAME]",
		Aliases: []string{"policies", "p", "pol"},
		Short:   "Show the authorization policies that a ztunnel applies",
		Example: `  # The policies of a namespace, with their rules
  meshctl ztunnel-config policy --policy-namespace shop -o wide

  # The policies that are in force for a pod
  meshctl ztunnel-config policy deploy/productpage-v1`,
	}
	z := addZtunnelFlags(c, f)
	var filter ztunnel.PolicyFilter
	c.Flags().StringVar(&filter.Namespace, "policy-namespace", "", "only policies of this namespace")
	c.RunE = func(c *cobra.Command, args []string) error {
		d, about, err := z.read(c.Context(), args, ztunnel.Workloads, ztunnel.Services, ztunnel.Policies)
		if err != nil {
			return err
		}
		filter.Pod = about
		return f.print(z.out, d.ListPolicies(filter))
	}
	return c
}
