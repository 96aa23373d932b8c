package cmd

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/meshctl/meshctl/internal/hint"
)

// newDocsCmd writes the reference of all commands; `make docs` calls it.
func newDocsCmd(_ *Factory) *cobra.Command {
	return &cobra.Command{
		Use:     "docs DIR",
		Short:   "Write the reference of all commands as Markdown",
		Example: "  meshctl docs docs/reference",
		Hidden:  true,
		Args:    exactArgs("a directory"),
		RunE: func(c *cobra.Command, args []string) error {
			dir := filepath.Clean(args[0])
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return hint.Failf("", "writing the reference: %w", err)
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			return doc.GenMarkdownTree(root, dir)
		},
	}
}
