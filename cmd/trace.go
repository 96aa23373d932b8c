package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
)

func newTraceCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "Say where a request goes, and what an access log's flags mean",
		Example: `  # What does "UF,URX" in the access log mean?
  meshctl trace --explain-code UF,URX`,
		GroupID: groupProxy,
		Args:    maxArgs(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			return hint.Usagef("`"+c.CommandPath()+" --explain-code UF` says what a flag means", "%s needs something to explain", c.CommandPath())
		},
	}
	addExplainCode(c, f, addOutput(c))
	return c
}
