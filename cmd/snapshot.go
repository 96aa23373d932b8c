package cmd

import "github.com/spf13/cobra"

func newSnapshotCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:   "snapshot",
		Short: "Save what a mesh consists of, to analyze it later or elsewhere",
		Long: `snapshot saves the mesh's configuration, Services and workloads into one file.
Whoever has the file needs no access to the cluster: meshctl analyze --from FILE
finds in it what it would have found there.`,
		Example: `  meshctl snapshot save mesh.snapshot
  meshctl analyze --from mesh.snapshot`,
		GroupID: groupConfig,
	}
	c.AddCommand(newSnapshotSaveCmd(f))
	asGroup(c)
	return c
}
