package cmd

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
)

func newManifestCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "manifest",
		GroupID: groupInstall,
		Short:   "Render what an install applies",
		Example: "  meshctl manifest generate --profile demo",
	}
	c.AddCommand(newManifestGenerateCmd(f), newManifestDiffCmd(f), newManifestTranslateCmd(f))
	asGroup(c)
	return c
}

// gcPercent is how far the heap may grow between collections while rendering,
// which is over in a moment: a sixth of the time for a quarter more memory.
const gcPercent = 400

type manifestOptions struct {
	render  renderFlags
	out     string
	cluster bool
}

func newManifestGenerateCmd(f *Factory) *cobra.Command {
	var o manifestOptions
	c := &cobra.Command{
		Use:   "generate",
		Short: "Print the objects that install applies, as YAML",
		Long: `Print the objects that install applies with the same flags, as YAML documents in
a stable order that ` + "`kubectl apply -f -`" + ` can take. No cluster is asked unless
--cluster-specific is given.`,
		Example: `  # The objects of the demo profile
  meshctl manifest generate --profile demo

  # What a setting changes
  diff <(meshctl manifest generate) <(meshctl manifest generate --set values.pilot.replicaCount=2)

  # Into a file
  meshctl manifest generate -f mesh.yaml -o mesh-objects.yaml`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error { return o.run(f) },
	}
	o.render.add(c)
	c.Flags().StringVarP(&o.out, "output", "o", "", "file to write to (default: stdout)")
	c.Flags().BoolVar(&o.cluster, "cluster-specific", false, "ask the cluster for its version, which some charts look at")
	return c
}

func (o *manifestOptions) run(f *Factory) error {
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	version := ""
	if o.cluster {
		client, err := f.Client()
		if err != nil {
			return err
		}
		if version, err = serverVersion(client); err != nil {
			return err
		}
	}
	_, _, manifest, err := o.render.render(f, version, false)
	if err != nil {
		return err
	}
	for _, w := range manifest.Warnings {
		f.IO.Warnf("%s", w)
	}
	objects := manifest.Objects()
	if o.out == "" || o.out == "-" {
		return install.WriteYAML(f.IO.Out, objects)
	}
	var text bytes.Buffer
	if err := install.WriteYAML(&text, objects); err != nil {
		return err
	}
	if err := os.WriteFile(o.out, text.Bytes(), 0o644); err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return hint.Usagef("name a file in a directory that exists and may be written", "writing %s: %w", o.out, err)
	}
	f.progress("wrote %s to %s", plural(len(objects), "object"), o.out)
	return nil
}
