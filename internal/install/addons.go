package install

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/profiles"
)

// addonPrefix starts the component names of add-ons: addons.kiali.
const addonPrefix = "addons."

// addonNamespace is what the add-ons' manifests call the namespace they go to.
const addonNamespace = "${NAMESPACE}"

// AddonNames are the add-ons that come with meshctl, sorted.
func AddonNames() []string {
	files, err := fs.Glob(profiles.FS, "addons/*.yaml")
	if err != nil {
		return nil // only a malformed pattern fails
	}
	names := make([]string, 0, len(files))
	for _, f := range files {
		names = append(names, strings.TrimSuffix(path.Base(f), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Addons are the components of the add-ons with these names, ready to be
// appended to what was rendered. They carry no revision: all revisions share them.
func Addons(names []string, namespace string) ([]Component, error) {
	var all []Component
	for _, name := range names {
		c, err := LoadAddon(name, namespace)
		if err != nil {
			return nil, err
		}
		if name == "jaeger" && slices.Contains(names, "zipkin") {
			// Both answer to Zipkin's protocol; its name belongs to Zipkin.
			c.Objects = slices.DeleteFunc(c.Objects, func(o *unstructured.Unstructured) bool {
				return o.GetKind() == "Service" && o.GetName() == "zipkin"
			})
		}
		all = append(all, c)
	}
	return all, nil
}

// LoadAddon reads one add-on for a namespace.
func LoadAddon(name, namespace string) (Component, error) {
	c := Component{Name: addonPrefix + name, Instance: name, Namespace: namespace}
	data, err := fs.ReadFile(profiles.FS, "addons/"+name+".yaml")
	if err != nil {
		known := AddonNames()
		step := "the add-ons are " + strings.Join(known, ", ")
		if near := hint.DidYouMean(name, known); near != "" {
			step = near + " " + step
		}
		return c, hint.Usagef(step, "adding %q: there is no such add-on", name)
	}
	for doc := range strings.SplitSeq(strings.ReplaceAll(string(data), addonNamespace, namespace), "\n---\n") {
		obj := &unstructured.Unstructured{}
		asJSON, err := yaml.YAMLToJSON([]byte(doc))
		if err == nil {
			err = obj.UnmarshalJSON(asJSON)
		}
		if err != nil {
			return c, fmt.Errorf("reading add-on %s: %w", name, err)
		}
		labels := obj.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[LabelComponent], labels[LabelManagedBy] = c.Name, ManagedBy
		obj.SetLabels(labels)
		c.Objects = append(c.Objects, obj)
	}
	return c, nil
}
