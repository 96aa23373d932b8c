package cmd

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/install"
	"github.com/meshctl/meshctl/profiles"
)

// renderFlags are the flags that say what to install.
type renderFlags struct {
	profile   string
	files     []string
	set       []string
	revision  string
	manifests string
	registry  string

	// settle, when it is set, asks the cluster about the default revision before rendering.
	settle func(*install.Spec) error
}

func (r *renderFlags) add(c *cobra.Command) {
	r.addInputs(c)
	addIgnored(c, "force", "use --force-conflicts to take over fields; bad input is never installed")
}

// addInputs registers the flags without --force, which some commands have.
func (r *renderFlags) addInputs(c *cobra.Command) {
	fs := c.Flags()
	fs.StringVar(&r.profile, "profile", "", "profile to install (default: default)")
	fs.StringArrayVarP(&r.files, "filename", "f", nil, "file of kind IstioOperator laid over the profile, - for stdin; may be repeated")
	fs.StringArrayVarP(&r.set, "set", "s", nil, "setting path=value laid over the files; may be repeated")
	fs.StringVarP(&r.revision, "revision", "r", "", "revision of the control plane")
	fs.StringVarP(&r.manifests, "manifests", "d", "", "directory with Istio's charts and profiles, instead of the embedded ones")
	fs.StringVar(&r.manifests, "charts", "", "the same as --manifests")
	_ = fs.MarkDeprecated("charts", "use --manifests")
	fs.StringVar(&r.registry, "registry", "", "host and path of a mirror that every image is pulled from, as in registry.example.com/mesh")
	_ = c.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(append(profiles.List(), "external"), cobra.ShellCompDirectiveNoFileComp))
}

// render resolves the flags and renders the charts and the add-ons. With
// guard the result also has the webhook by which istiod validates objects
// without a revision; `manifest generate` leaves it out, as istioctl's does.
func (r *renderFlags) render(f *Factory, kubeVersion string, guard bool) (install.Inputs, *install.Spec, *install.Manifest, error) {
	in, err := r.inputs(f)
	if err != nil {
		return in, nil, nil, err
	}
	in.KubeVersion, in.Guard = kubeVersion, guard
	spec, manifest, err := renderInputs(in, r.settle)
	return in, spec, manifest, err
}

// whole says whether the flags say by themselves what to install: settings and a
// registry only change something else, and a revision says where.
func (r *renderFlags) whole() bool {
	return r.profile != "" || len(r.files) > 0 || r.manifests != ""
}

// inputs reads what the flags name.
func (r *renderFlags) inputs(f *Factory) (install.Inputs, error) {
	files, err := install.ReadFiles(r.files, f.IO.In)
	if err != nil {
		return install.Inputs{}, err
	}
	return install.Inputs{Profile: r.profile, Files: files, Set: r.set, Revision: r.revision, ManifestsDir: r.manifests, Registry: r.registry}, nil
}

// resolve is what the flags come to, with its warnings said.
func (r *renderFlags) resolve(f *Factory) (*install.Spec, error) {
	in, err := r.inputs(f)
	if err != nil {
		return nil, err
	}
	spec, err := install.Resolve(in)
	if err != nil {
		return nil, err
	}
	for _, w := range spec.Warnings {
		f.IO.Warnf("%s", w)
	}
	return spec, nil
}

// renderInputs resolves what the user asked for and renders the charts and the
// add-ons. settle, unless nil, asks the cluster about the default revision in between.
func renderInputs(in install.Inputs, settle func(*install.Spec) error) (*install.Spec, *install.Manifest, error) {
	spec, err := install.Resolve(in)
	if err != nil {
		return nil, nil, err
	}
	if settle != nil {
		if err := settle(spec); err != nil {
			return nil, nil, err
		}
	}
	manifest, err := install.Render(spec)
	if err != nil {
		return nil, nil, err
	}
	addons, err := install.Addons(spec.Addons, spec.Namespace)
	if err != nil {
		return nil, nil, err
	}
	manifest.Components = append(manifest.Components, addons...)
	if spec.Registry != nil {
		err = manifest.Mirror(spec.Registry)
	}
	return spec, manifest, err
}

// The values of --dry-run.
const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

// addDryRun registers --dry-run; without a value it means server.
func addDryRun(c *cobra.Command) *enum {
	e := newEnum(dryRunNone, dryRunNone, dryRunClient, dryRunServer, "true", "false")
	c.Flags().Var(&dryRun{e}, "dry-run", "change nothing, show what would be done: server (asks the API server), client (does not), none")
	c.Flags().Lookup("dry-run").NoOptDefVal = dryRunServer
	_ = c.RegisterFlagCompletionFunc("dry-run", cobra.FixedCompletions([]string{dryRunServer, dryRunClient, dryRunNone}, cobra.ShellCompDirectiveNoFileComp))
	return e
}

// dryRun takes istioctl's true and false too.
type dryRun struct{ *enum }

func (d *dryRun) Set(s string) error {
	switch s {
	case "true":
		s = dryRunServer
	case "false":
		s = dryRunNone
	}
	return d.enum.Set(s)
}

// addIgnored accepts a flag of istioctl's that has no use here, and says so when it is given.
func addIgnored(c *cobra.Command, name, why string) {
	c.Flags().Bool(name, false, "")
	_ = c.Flags().MarkDeprecated(name, why)
}
