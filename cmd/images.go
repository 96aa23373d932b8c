package cmd

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/install"
)

func newImagesCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "images",
		GroupID: groupInstall,
		Short:   "Tell which container images an install needs",
		Example: "  meshctl images list --profile demo",
	}
	c.AddCommand(newImagesListCmd(f))
	asGroup(c)
	return c
}

type imagesOptions struct {
	render renderFlags
	output *outputFlags
}

// Formats of images list beside the common ones.
const (
	formatName = "name" // an image a line
	formatCopy = "copy" // source and target a line
)

func newImagesListCmd(f *Factory) *cobra.Command {
	var o imagesOptions
	c := &cobra.Command{
		Use:   "list",
		Short: "List the images that an install with the same flags pulls, now or later",
		Long: `List every container image that an install with the same flags needs: those of
the control plane, the node agents, the gateways and the add-ons, and those that
istiod puts into pods by its injection templates. No cluster is asked.

With --registry the list has the images as the mirror must have them; install
takes the same flag.`,
		Example: `  # What must a mirror for this mesh hold?
  meshctl images list -f mesh.yaml

  # Fill it
  meshctl images list -f mesh.yaml --registry registry.example.com/mesh -o copy |
    while read from to; do skopeo copy --all docker://$from docker://$to; done

  # Install from it
  meshctl install -f mesh.yaml --registry registry.example.com/mesh

  # One image a line
  meshctl images list --profile ambient -o name`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error { return o.run(f) },
	}
	o.render.add(c)
	o.output = addOutput(c, formatName, formatCopy)
	return c
}

func (o *imagesOptions) run(f *Factory) error {
	in, err := o.render.inputs(f)
	if err != nil {
		return err
	}
	spec, manifest, err := renderInputs(in, nil)
	if err != nil {
		return err
	}
	list := install.Images(manifest)
	if spec.Registry != nil {
		in.Registry = ""
		_, unmirrored, err := renderInputs(in, nil)
		if err != nil {
			return err
		}
		list.From(install.Images(unmirrored), spec.Registry)
	}
	for _, w := range append(manifest.Warnings, list.Unknown...) {
		f.IO.Warnf("%s", w)
	}
	switch o.output.format.value {
	case formatName, formatCopy:
		_, err = fmt.Fprint(f.IO.Out, imageLines(list, o.output.format.value == formatCopy))
		return err
	}
	return f.print(o.output, list)
}

// imageLines has an image a line; with source, where it comes from in front.
func imageLines(list *install.ImageList, source bool) string {
	var b strings.Builder
	for _, i := range list.Images {
		if source {
			b.WriteString(cmp.Or(i.Source, i.Image) + " ")
		}
		b.WriteString(i.Image + "\n")
	}
	return b.String()
}
