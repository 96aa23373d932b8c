package install

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// OutputFile is a file to write, its name relative to the directory.
type OutputFile struct {
	Name       string
	Data       []byte
	Executable bool
}

// TranslationFiles are the values, charts, scripts and notes for a translation,
// and the add-ons, which are no charts, as they are.
func TranslationFiles(s *Spec, releases []HelmRelease, addons []Component) ([]OutputFile, error) {
	var files []OutputFile
	add := func(name, text string, executable bool) {
		files = append(files, OutputFile{Name: name, Data: []byte(text), Executable: executable})
	}
	all := "#!/bin/sh\n# Hands the whole mesh over to Helm, one component after another.\nset -eu\ncd \"$(dirname \"$0\")\"\n"
	charts := map[string]bool{}
	for _, r := range releases {
		values, err := yaml.Marshal(r.Values)
		if err != nil {
			return nil, fmt.Errorf("writing the values of %s: %w", r.Name, err)
		}
		add(r.Name+"-values.yaml", string(values), false)
		add("install-"+r.Name+".sh", r.script(), true)
		all += "./install-" + r.Name + ".sh\n"
		if len(r.Rest.Objects) > 0 {
			var text strings.Builder
			if err := r.Rest.WriteDiff(&text, "helm", "meshctl"); err != nil {
				return nil, err
			}
			add(r.Name+".diff", text.String(), false)
		}
		if charts[r.dir] {
			continue
		}
		charts[r.dir] = true
		chart, err := s.charts.files(r.dir, r.Chart)
		if err != nil {
			return nil, err
		}
		files = append(files, chart...)
	}
	if len(addons) > 0 {
		var text strings.Builder
		m := Manifest{Components: addons}
		if err := WriteYAML(&text, m.Objects()); err != nil {
			return nil, err
		}
		add("addons.yaml", text.String(), false)
		add("install-addons.sh", "#!/bin/sh\n# Add-ons are no charts.\nset -eu\ncd \"$(dirname \"$0\")\"\nkubectl apply --server-side -f addons.yaml\n", true)
	}
	add("install.sh", all, true)
	add("README.md", translationNotes(s, releases, len(addons) > 0), false)
	return files, nil
}

// files are those of a chart, to be written below the folder to.
func (c *chartSource) files(dir, to string) ([]OutputFile, error) {
	root := path.Join("charts", dir)
	var out []OutputFile
	err := fs.WalkDir(c.fsys, root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(c.fsys, p)
		out = append(out, OutputFile{Name: path.Join(to, strings.TrimPrefix(p, root+"/")), Data: data})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading chart %s: %w", dir, err)
	}
	return out, nil
}

// script lets Helm take the release over, or install it.
func (r *HelmRelease) script() string {
	return fmt.Sprintf(`#!/bin/sh
# Hands component %s over to Helm, as release %s in namespace %s.
# More options for Helm stand in HELM_FLAGS, as in HELM_FLAGS=--dry-run=server.
set -eu
cd "$(dirname "$0")"
helm upgrade --install %s %s --namespace %s --create-namespace -f %s-values.yaml --take-ownership ${HELM_FLAGS:-}
`, r.Name, r.Release, r.Namespace, r.Release, r.Chart, r.Namespace, r.Name)
}

func translationNotes(s *Spec, releases []HelmRelease, addons bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Istio %s, from meshctl to Helm

Each component is a Helm release of its own, whose values render the objects that meshctl installs with the same inputs.
Look first: `+"`HELM_FLAGS=--dry-run=server ./install.sh`"+`. Then `+"`./install.sh`"+` does all of it in this order, or one script does one:

| component | release | namespace | values | chart | differs |
|---|---|---|---|---|---|
`, s.Tag)
	for _, r := range releases {
		differs := "-"
		if len(r.Rest.Objects) > 0 {
			differs = fmt.Sprintf("%s.diff", r.Name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s-values.yaml | %s | %s |\n", r.Name, r.Release, r.Namespace, r.Name, r.Chart, differs)
	}
	b.WriteString(`
* The scripts want Helm 3.17 or later, which takes over what is installed already (--take-ownership). Helm 4 applies on the server's side: there
  it needs HELM_FLAGS=--force-conflicts too, since the fields are meshctl's or istioctl's until then.
* The charts are those of this meshctl, so that nothing has to be fetched. Istio's published charts of the same version
  (oci://ghcr.io/istio/release/charts/base, istiod, cni, ztunnel) take the same values; the gateways' are only in Istio's release archive.
* Where a .diff is named, settings under ` + "`k8s`" + ` have no value in the chart that does the same: the file shows what Helm's
  objects (-) lack of meshctl's (+). Keep them with a Helm post-renderer, or do without.
* The labels ` + "`release` and `app.kubernetes.io/instance`" + ` name the Helm release; pods are replaced once, because their template has them.
* Afterwards Helm is the owner. ` + "`meshctl install --take-ownership`" + ` is the way back.
`)
	if !slices.ContainsFunc(releases, validatesDefault) && s.Revision == DefaultRevision {
		b.WriteString("* No release has the webhook istiod-default-validator, by which istiod validates objects without a revision: one that meshctl installed\n" +
			"  stays; `defaultRevision: default` in base-values.yaml makes Helm bring it, with the default admission policy of the profile stable.\n")
	}
	if addons {
		b.WriteString("* Add-ons are no charts: addons.yaml has them as they are, and install-addons.sh applies it.\n")
	}
	return b.String()
}

// validatesDefault is whether a release has the webhook for objects without a revision.
func validatesDefault(r HelmRelease) bool {
	return slices.ContainsFunc(r.Objects, func(o *unstructured.Unstructured) bool { return o.GetName() == "istiod-default-validator" })
}
