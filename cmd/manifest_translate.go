package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
)

type translateOptions struct {
	render renderFlags
	out    string
	force  bool
}

func newManifestTranslateCmd(f *Factory) *cobra.Command {
	var o translateOptions
	c := &cobra.Command{
		Use:   "translate",
		Short: "Write what Helm needs to install the same",
		Long: `Write values, charts, scripts and a README into a directory, by which Helm installs
what install would with the same flags, and takes over what is installed already.
Gateways are translated too. What a chart has no value for is shown in a file
NAME.diff beside the values.`,
		Example: `  meshctl manifest translate -f mesh.yaml -o helm

  # Look before Helm does anything
  HELM_FLAGS=--dry-run=server helm/install-pilot.sh`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error { return o.run(f) },
	}
	o.render.addInputs(c)
	c.Flags().StringVarP(&o.out, "output", "o", "", "directory to write to: a new or empty one")
	c.Flags().BoolVar(&o.force, "force", false, "write into a directory that has files, over those of the same names")
	_ = c.MarkFlagDirname("output")
	return c
}

func (o *translateOptions) run(f *Factory) error {
	if o.out == "" {
		return hint.Usagef("name a new directory with -o", "translating: no directory to write to was given")
	}
	if err := o.checkEmpty(); err != nil {
		return err
	}
	spec, err := o.render.resolve(f)
	if err != nil {
		return err
	}
	releases, err := install.Translate(spec)
	if err != nil {
		return err
	}
	addons, err := install.Addons(spec.Addons, spec.Namespace)
	if err == nil && spec.Registry != nil {
		err = (&install.Manifest{Components: addons}).Mirror(spec.Registry)
	}
	if err != nil {
		return err
	}
	files, err := install.TranslationFiles(spec, releases, addons)
	if err != nil {
		return err
	}
	if err := o.write(files); err != nil {
		return err
	}
	for _, r := range releases {
		if len(r.Rest.Objects) > 0 {
			f.IO.Warnf("%s: some settings under k8s have no value in the chart; see %s", r.Name, filepath.Join(o.out, r.Name+".diff"))
		}
	}
	f.progress("wrote %s to %s; begin with its README.md", plural(len(releases), "release"), o.out)
	return nil
}

// checkEmpty refuses a directory that has files, unless --force.
func (o *translateOptions) checkEmpty() error {
	entries, err := os.ReadDir(o.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return o.failed(err)
	case len(entries) > 0 && !o.force:
		return hint.Usagef("name a new directory, or write over its files with --force", "writing to %s: it is not empty", o.out)
	}
	return nil
}

func (o *translateOptions) write(files []install.OutputFile) error {
	for _, file := range files {
		name := filepath.Join(o.out, filepath.FromSlash(file.Name))
		mode := fs.FileMode(0o644)
		if file.Executable {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return o.failed(err)
		}
		if err := os.WriteFile(name, file.Data, mode); err != nil {
			return o.failed(err)
		}
	}
	return nil
}

func (o *translateOptions) failed(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return hint.Usagef("name a directory that may be written", "writing to %s: %w", o.out, err)
}
