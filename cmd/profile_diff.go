package cmd

import (
	"cmp"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/profiles"
)

type profileDiffOptions struct {
	output    *outputFlags
	manifests string
	full      bool
}

func newProfileDiffCmd(f *Factory) *cobra.Command {
	var o profileDiffOptions
	c := &cobra.Command{
		Use:   "diff PROFILE|FILE PROFILE|FILE",
		Short: "Show how two profiles or files of settings differ",
		Long: `Show how the settings of two profiles, or of IstioOperator files, differ in
effect: each is resolved, and completed with what the charts set by default.
--full=false compares only what the profiles and files say themselves.

The exit code is 0 when nothing differs, 1 when something does, 2 when that
can't be told.`,
		Example: `  # What does demo do that default does not?
  meshctl profile diff default demo

  # A file against the profile that it is laid over, for a tool
  meshctl profile diff default mesh.yaml -o json`,
		Args: exactArgs("a profile or file", "another"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return profiles.List(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(_ *cobra.Command, args []string) error { return o.run(f, args[0], args[1]) },
	}
	o.output = addOutput(c, formatDiff)
	o.output.format.value = formatDiff
	c.Flags().Lookup("output").DefValue = formatDiff
	c.Flags().StringVarP(&o.manifests, "manifests", "d", "", "directory with Istio's charts and profiles, instead of the embedded ones")
	c.Flags().BoolVar(&o.full, "full", true, "with what the charts set by default")
	return c
}

func (o *profileDiffOptions) run(f *Factory, from, to string) error {
	a, err := o.document(f, from)
	if err != nil {
		return err
	}
	b, err := o.document(f, to)
	if err != nil {
		return err
	}
	d := install.DiffDocuments(from, to, a, b)
	if o.output.format.value == formatDiff {
		err = d.WriteDiff(f.IO.Out)
	} else {
		err = f.print(o.output, d)
	}
	if err == nil && len(d.Settings) > 0 {
		err = errNo
	}
	return err
}

// document is what the name of a profile or file comes to.
func (o *profileDiffOptions) document(f *Factory, name string) (map[string]any, error) {
	in := install.Inputs{ManifestsDir: o.manifests}
	list, err := install.Profiles(o.manifests)
	if err != nil {
		return nil, err
	}
	isProfile := slices.ContainsFunc(list.Profiles, func(p install.Profile) bool { return p.Name == profiles.Canonical(name) })
	_, missing := os.Stat(name)
	switch {
	case isProfile:
		in.Profile = name
	case name != "-" && missing != nil:
		var known []string
		for _, p := range list.Profiles {
			known = append(known, p.Name)
		}
		return nil, hint.Usagef(cmp.Or(hint.DidYouMean(name, known), "`meshctl profile list` lists the profiles"),
			"comparing profiles: %q is neither a profile nor a file", name)
	default:
		if in.Files, err = install.ReadFiles([]string{name}, f.IO.In); err != nil {
			return nil, err
		}
	}
	spec, err := install.Resolve(in)
	if err != nil {
		return nil, err
	}
	return spec.Document(o.full)
}
