package cmd

import "github.com/spf13/cobra"

// newExperimentalCmd holds commands under the name that istioctl's users type.
func newExperimentalCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "experimental",
		Aliases: []string{"x", "exp"},
		Short:   "Commands that istioctl keeps here, and that meshctl has at its top",
		Example: "  meshctl x precheck",
		GroupID: groupOther,
	}
	precheck, ps := newPrecheckCmd(f), newProxyStatusCmd(f)
	precheck.GroupID, ps.GroupID = "", ""
	stats := newProxyConfigStatsCmd(f)
	stats.Use, stats.Aliases = "envoy-stats [POD|TYPE/NAME...]", []string{"es"}
	c.AddCommand(precheck, ps, stats)
	asGroup(c)
	return c
}
