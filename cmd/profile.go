package cmd

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/profiles"
)

func newProfileCmd(f *Factory) *cobra.Command {
	c := &cobra.Command{
		Use:     "profile",
		GroupID: groupInstall,
		Short:   "Show what the install profiles are made of",
		Example: "  meshctl profile list\n  meshctl profile dump demo",
	}
	c.AddCommand(newProfileListCmd(f), newProfileDumpCmd(f), newProfileDiffCmd(f))
	asGroup(c)
	return c
}

func newProfileListCmd(f *Factory) *cobra.Command {
	var out *outputFlags
	var manifests string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the profiles",
		Example: `  meshctl profile list

  # With what each installs
  meshctl profile list -o wide`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			list, err := install.Profiles(manifests)
			if err != nil {
				return err
			}
			return f.print(out, list)
		},
	}
	out = addOutput(c)
	c.Flags().StringVarP(&manifests, "manifests", "d", "", "directory with Istio's charts and profiles, instead of the embedded ones")
	return c
}

type profileDumpOptions struct {
	render renderFlags
	path   string
	full   bool
	format *enum
}

func newProfileDumpCmd(f *Factory) *cobra.Command {
	o := profileDumpOptions{format: newEnum("yaml", "yaml", "json", "flags", "helm")}
	c := &cobra.Command{
		Use:   "dump [PROFILE]",
		Short: "Print the settings that a profile, files and --set come to",
		Long: `Print the IstioOperator document that the default profile, the named one, files and
settings come to. Laid over any profile with -f it renders the same. With --full
it also has what the charts set by default. -o helm prints the values that the
charts are given, -o flags the settings as --set takes them.`,
		Example: `  meshctl profile dump demo

  # One part of it, with the charts' defaults
  meshctl profile dump ambient --full --config-path values.cni

  # What do my files come to?
  meshctl profile dump -f base.yaml -f production.yaml --set hub=registry.example.com/istio

  # As settings
  meshctl profile dump demo -o flags`,
		Args:              maxArgs(1, "one profile"),
		ValidArgsFunction: cobra.FixedCompletions(profiles.List(), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				if p := o.render.profile; p != "" && p != args[0] {
					return hint.Usagef("name the profile once", "choosing a profile: %s and --profile %s", args[0], p)
				}
				o.render.profile = args[0]
			}
			return o.run(f)
		},
	}
	o.render.add(c)
	addEnum(c, o.format, "output", "o", "format of the result")
	c.Flags().StringVarP(&o.path, "config-path", "p", "", "print only what stands at this path, as in components.pilot.k8s")
	c.Flags().BoolVar(&o.full, "full", false, "with what the charts set by default")
	return c
}

func (o *profileDumpOptions) run(f *Factory) error {
	spec, err := o.render.resolve(f)
	if err != nil {
		return err
	}
	doc, err := spec.Document(o.full)
	if err != nil {
		return err
	}
	if o.format.value == "flags" {
		return o.flags(f, spec, doc)
	}
	var part any = doc
	switch {
	case o.path != "":
		if part, err = spec.At(doc, o.path); err != nil {
			return err
		}
	case o.format.value == "helm" && o.full:
		part = doc["spec"].(map[string]any)["values"]
	case o.format.value == "helm":
		part = spec.HelmValues()
	}
	return writeTree(f, part, o.format.value == "json")
}

func (o *profileDumpOptions) flags(f *Factory, spec *install.Spec, doc map[string]any) error {
	if o.path != "" {
		return hint.Usagef("leave one of the two out", "printing flags: --config-path goes with the other formats")
	}
	flags, skipped := spec.Flags(doc)
	var b strings.Builder
	for _, s := range flags {
		b.WriteString("--set " + install.ShellQuote(s) + "\n")
	}
	if len(skipped) > 0 {
		f.IO.Warnf("no setting says what is empty: %s", strings.Join(skipped, ", "))
	}
	_, err := fmt.Fprint(f.IO.Out, b.String())
	return err
}

// writeTree writes a part of a document.
func writeTree(f *Factory, v any, asJSON bool) error {
	var data []byte
	var err error
	if asJSON {
		data, err = json.MarshalIndent(v, "", "  ")
		data = append(data, '\n')
	} else {
		data, err = yaml.Marshal(v)
	}
	if err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	_, err = f.IO.Out.Write(data)
	return err
}
