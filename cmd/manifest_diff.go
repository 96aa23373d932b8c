package cmd

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/internal/kube"
)

type manifestDiffOptions struct {
	render renderFlags
	output *outputFlags
	take   bool
	force  bool
}

func newManifestDiffCmd(f *Factory) *cobra.Command {
	var o manifestDiffOptions
	c := &cobra.Command{
		Use:   "diff [FILE FILE]",
		Short: "Show what an install would change, or how two manifests differ",
		Long: `Without files, show what ` + "`install`" + ` with the same flags would change in the
cluster: from a server-side dry run, without what the API server and controllers
write, values of Secrets masked. With two files of rendered objects, show how
they differ; no cluster is asked.

The exit code is 0 when nothing differs, 1 when something does, 2 when that
can't be told.`,
		Example: `  # Has somebody changed the mesh since it was installed?
  meshctl manifest diff -f mesh.yaml

  # The fields as a table, or for a tool
  meshctl manifest diff -f mesh.yaml -o table
  meshctl manifest diff -f mesh.yaml -o json

  # Two versions of a manifest
  meshctl manifest generate -f mesh.yaml > new.yaml
  meshctl manifest diff old.yaml new.yaml`,
		Args: noneOrTwo,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				return o.files(c.Context(), f, args[0], args[1])
			}
			return o.run(c.Context(), f)
		},
	}
	o.render.add(c)
	o.output = addOutput(c, formatDiff)
	o.output.format.value = formatDiff
	c.Flags().Lookup("output").DefValue = formatDiff
	c.Flags().BoolVar(&o.take, "take-ownership", false, "as install would with it")
	c.Flags().BoolVar(&o.force, "force-conflicts", false, "as install would with it")
	return c
}

// noneOrTwo takes two files or none.
func noneOrTwo(c *cobra.Command, args []string) error {
	if n := len(args); n != 0 && n != 2 {
		return hint.Usagef("give two files, or none to look at the cluster", "%s takes two files or none, got %s", c.CommandPath(), quoted(args))
	}
	return nil
}

func (o *manifestDiffOptions) run(ctx context.Context, f *Factory) error {
	apply := installOptions{render: o.render, apply: applyFlags{
		output: o.output, dryRun: newEnum(dryRunServer), takeOver: o.take, force: o.force, prune: true, timeout: f.requestTimeout * 4,
	}}
	return apply.run(ctx, f)
}

// files compares two manifests.
func (o *manifestDiffOptions) files(ctx context.Context, f *Factory, from, to string) error {
	a, err := readManifest(ctx, f, from)
	if err != nil {
		return err
	}
	b, err := readManifest(ctx, f, to)
	if err != nil {
		return err
	}
	d := install.Compare(a, b)
	if o.output.format.value == formatDiff {
		err = d.WriteDiff(f.IO.Out, from, to)
	} else {
		err = f.print(o.output, d)
	}
	if err == nil && len(d.Objects) > 0 {
		err = errNo
	}
	return err
}

// readManifest reads a file all of which can be read: a difference to half of it says nothing.
func readManifest(ctx context.Context, f *Factory, path string) ([]*unstructured.Unstructured, error) {
	files, err := kube.ReadFiles(ctx, []string{path}, f.IO.In)
	if err != nil {
		return nil, err
	}
	for _, b := range files.Broken {
		return nil, hint.Unanswerablef("correct the document", "reading %s: line %d: %s", b.Position.File, b.Position.Line, b.Reason)
	}
	var objects []*unstructured.Unstructured
	for _, o := range files.Objects {
		objects = append(objects, &unstructured.Unstructured{Object: o.Raw()})
	}
	return objects, nil
}
