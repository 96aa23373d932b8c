package cmd

import "github.com/spf13/cobra"

func newSnapshotCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:   "snapshot",
		Short: "Save a mesh and what its proxies run, to look at it later or elsewhere",
		Long: `snapshot saves the mesh's configuration, Services and workloads, and what a number
of proxies run, into one file. Whoever has the file needs no access to the cluster:
with --from FILE analyze, proxy-status, proxy-config and routes answer as they
would have then, and FILE:POD names a proxy in it, for trace and diff, too.`,
		Example: `  meshctl snapshot save mesh.snapshot
  meshctl analyze --from mesh.snapshot
  meshctl proxy-status --from mesh.snapshot
  meshctl proxy-config route --from mesh.snapshot deploy/frontend.shop
  meshctl trace --from mesh.snapshot:deploy/frontend.shop -- GET http://catalog.shop/`,
		GroupID: groupConfig,
	}
	c.AddCommand(newSnapshotSaveCmd(f))
	asGroup(c)
	return c
}
