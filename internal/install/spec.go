// Package install turns a profile and the user's settings into Kubernetes
// objects, and brings a cluster to them.
//
// Resolve merges and checks the input, Render runs Istio's own charts over it.
// Neither talks to a cluster.
package install

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/profiles"
	"sigs.k8s.io/yaml"
)

// Spec is what to install, after every layer is merged and checked. It is not
// changed by rendering.
type Spec struct {
	// Profile is the profile's own name, never an alias.
	Profile string
	// Namespace is where the control plane goes.
	Namespace string
	// Revision is the control plane's revision, "default" when it has none.
	Revision string
	// Hub and Tag name the images of all components that do not set their own.
	Hub, Tag string
	// Registry is the mirror that images are pulled from, or nil.
	Registry *Registry
	// Addons are the names of the add-ons to install, sorted.
	Addons []string
	// Warnings are settings that are allowed and probably not meant.
	Warnings []string

	given       map[string]any // the merged IstioOperator document
	tree        map[string]any // the same with spec.values as the charts want them
	schema      *shape         // of that document
	ground      map[string]any // the default profile
	charts      *chartSource
	kubeVersion string
	guarded     bool
	role        DefaultRole
}

// Tree is a copy of the merged IstioOperator document, as it is rendered.
func (s *Spec) Tree() map[string]any { return cloneMap(s.tree) }

// Resolve merges default profile, named profile, what the cluster's version
// tells, files and settings, in this order, and checks the result. Bad input
// is a Usage error that says where it stands.
func Resolve(in Inputs) (*Spec, error) {
	r, err := newResolver(in)
	if err != nil {
		return nil, err
	}
	if err := r.readUser(in); err != nil {
		return nil, err
	}
	tree, name, err := r.profile(in.Profile)
	if err != nil {
		return nil, err
	}
	r.detect(tree, in.KubeVersion)
	put(tree, Hub, "spec", "hub")
	put(tree, Version, "spec", "tag")
	mergeInto(tree, r.user)
	spec := lookupMap(tree, "spec")
	for _, set := range r.settings {
		if err := set.apply(spec, r.spec); err != nil {
			return nil, err
		}
	}
	spec["profile"] = name
	userValues := r.userValues()
	given := cloneMap(tree)
	if v, own := lookupMap(given, "spec", "values"), userValues["defaultRevision"]; own == nil {
		delete(v, "defaultRevision") // the profile's; whoever gives it means it
	}
	toHelm(tree, userValues)
	warnings := overruled(tree, userValues)
	_, said := userValues["defaultRevision"] // what the user says of it stands
	s := &Spec{
		Profile: name, Warnings: warnings, given: given, ground: r.ground, schema: r.document, tree: tree, charts: r.charts, kubeVersion: in.KubeVersion, guarded: in.Guard && !said,
		Namespace: lookupString(tree, "metadata", "namespace"),
		Revision:  lookupString(spec, "values", "revision"),
		Hub:       lookupString(spec, "hub"), Tag: lookupString(spec, "tag"),
		Addons: enabledAddons(spec),
	}
	if s.Namespace == "" {
		s.Namespace = "istio-system"
	}
	if s.Revision == "" {
		s.Revision = DefaultRevision
	}
	if err := s.validate(); err != nil {
		return nil, err
	}
	if extra := lookupMap(spec, "unvalidatedValues"); extra != nil {
		mergeInto(lookupMap(spec, "values"), cloneMap(extra))
	}
	return s, s.mirror(in.Registry)
}

// mirror makes every image that the charts will name one of the registry.
func (s *Spec) mirror(registry string) (err error) {
	if registry == "" {
		return nil
	}
	if s.Registry, err = NewRegistry(registry); err != nil {
		return err
	}
	spec := lookupMap(s.tree, "spec")
	s.Registry.values(lookupMap(spec, "values"))
	s.Registry.values(lookupMap(spec, "components"))
	if s.Hub != "" {
		s.Hub = s.Registry.hub(s.Hub)
		spec["hub"] = s.Hub
	}
	return nil
}

// resolver holds the user's input while the layers under it are put together.
type resolver struct {
	charts   *chartSource
	document *shape // of a whole file
	spec     *shape // of what is under spec
	user     map[string]any
	settings []setting
	ground   map[string]any // the default profile
}

func newResolver(in Inputs) (*resolver, error) {
	r := &resolver{user: map[string]any{}}
	dir := in.ManifestsDir
	for _, s := range in.Set {
		if v, ok := strings.CutPrefix(strings.TrimPrefix(s, "spec."), "installPackagePath="); ok && dir == "" {
			dir = v
		}
	}
	var err error
	if r.charts, err = newChartSource(dir); err != nil {
		return nil, err
	}
	if r.ground, err = r.readProfile(profiles.Default); err != nil {
		return nil, err
	}
	r.document = documentSchema(AddonNames(), sync.OnceValue(func() *shape { return valuesSchema(r.charts.defaults) }))
	r.spec, _ = r.document.child("spec")
	return r, nil
}

// readUser parses the files and settings; the files are merged, the settings
// wait, since they may choose from lists of the profile.
func (r *resolver) readUser(in Inputs) error {
	for _, f := range in.Files {
		m, err := parseFile(f, r.document)
		if err != nil {
			return err
		}
		mergeInto(r.user, m)
	}
	flags := in.Set
	if in.Revision != "" && in.Revision != DefaultRevision {
		flags = append(slices.Clone(flags), "revision="+in.Revision)
	}
	var err error
	r.settings, err = parseSettings(flags, r.spec)
	return err
}

// profile is the default profile with the chosen one over it, and the name of that.
func (r *resolver) profile(flag string) (map[string]any, string, error) {
	name, set := flag, lastValue(r.settings, "profile")
	switch {
	case flag != "" && set != "" && flag != set:
		return nil, "", hint.Usagef("name the profile once", "choosing a profile: --profile says %s, --set profile says %s", flag, set)
	case name == "":
		name = set
	}
	if name == "" {
		name = lookupString(r.user, "spec", "profile")
	}
	if name == "" {
		name = profiles.Default
	}
	name = profiles.Canonical(name)
	tree := cloneMap(r.ground)
	if name == profiles.Default {
		return tree, name, nil
	}
	top, err := r.readProfile(name)
	if err != nil {
		return nil, "", err
	}
	mergeInto(tree, top)
	return tree, name, nil
}

func (r *resolver) readProfile(name string) (map[string]any, error) {
	data, err := r.charts.profile(name)
	if err != nil {
		return nil, hint.Usagef(oneOf(name, r.charts.profileNames()), "choosing a profile: there is no profile %q", name)
	}
	m := map[string]any{}
	if err := yaml.Unmarshal(data, &m); err != nil {
		return nil, hint.Usagef("", "reading profile %s: %s", name, yamlReason(err))
	}
	if r.charts.custom && lookup(m, "spec", "addons") == nil {
		r.addAddons(m, name)
	}
	return m, nil
}

// addAddons gives a profile from the user's directory, which cannot know of
// add-ons, those of our profile of the same name.
func (r *resolver) addAddons(m map[string]any, name string) {
	ours := map[string]any{}
	if data, err := profiles.Read(name); err == nil && yaml.Unmarshal(data, &ours) == nil {
		if a := lookup(ours, "spec", "addons"); a != nil {
			put(m, a, "spec", "addons")
		}
	}
}

// detect sets what a cluster's version tells. On GKE the CNI agent belongs in
// kube-system, where no quota is needed, and its binaries lie elsewhere.
func (r *resolver) detect(tree map[string]any, kubeVersion string) {
	if !strings.Contains(kubeVersion, "-gke") {
		return
	}
	if lookup(tree, "spec", "components", "cni") != nil || lookup(r.user, "spec", "components", "cni") != nil {
		put(tree, "kube-system", "spec", "components", "cni", "namespace")
	}
	put(tree, "gke", "spec", "values", "global", "platform")
	put(tree, false, "spec", "values", "cni", "resourceQuotas", "enabled")
}

// userValues is spec.values as the user gave it, without any profile's.
func (r *resolver) userValues() map[string]any {
	spec := map[string]any{"values": cloneMap(lookupMap(r.user, "spec", "values"))}
	for _, s := range r.settings {
		if s.first() == "values" {
			// An error can only be a choice from a profile's list: there are none in values.
			_ = s.apply(spec, r.spec)
		}
	}
	return lookupMap(spec, "values")
}

// toHelm copies what the charts read as values from where IstioOperator has
// it. A hub, tag or revision that the user wrote under values wins over that.
func toHelm(tree, userValues map[string]any) {
	spec := lookupMap(tree, "spec")
	for from, to := range map[string][]string{
		"hub": {"global", "hub"}, "tag": {"global", "tag"},
		"revision": {"revision"}, "compatibilityVersion": {"compatibilityVersion"},
	} {
		if v := lookupString(spec, from); v != "" {
			put(spec, v, append([]string{"values"}, to...)...)
		}
	}
	values := lookupMap(spec, "values")
	mergeInto(values, userValues)
	// These two do not yield to values, as istioctl has it: a file that says both
	// would else turn into another mesh.
	if mc := lookupMap(spec, "meshConfig"); mc != nil {
		mergeInto(values, map[string]any{"meshConfig": mc})
	}
	put(values, lookupBool(spec, "components", "pilot", "enabled"), "pilot", "enabled")
	put(values, lookupBool(spec, "components", "cni", "enabled"), "pilot", "cni", "enabled")
	if ns := lookupString(values, "global", "istioNamespace"); ns != "" {
		put(tree, ns, "metadata", "namespace")
	}
}

// overruled are warnings of what the user wrote under values in vain.
func overruled(tree, userValues map[string]any) []string {
	var out []string
	for _, c := range []struct {
		component string
		at        []string
	}{{"pilot", []string{"pilot", "enabled"}}, {"cni", []string{"pilot", "cni", "enabled"}}} {
		said, ok := lookup(userValues, c.at...).(bool)
		if is := lookupBool(tree, "spec", "components", c.component, "enabled"); ok && said != is {
			at := strings.Join(c.at, ".")
			out = append(out, fmt.Sprintf("values.%s=%v has no effect: it follows components.%s.enabled; unvalidatedValues.%s would do it", at, said, c.component, at))
		}
	}
	top := lookupMap(tree, "spec", "meshConfig")
	for _, k := range slices.Sorted(maps.Keys(lookupMap(userValues, "meshConfig"))) {
		if said := lookup(userValues, "meshConfig", k); top[k] != nil && !reflect.DeepEqual(top[k], said) {
			out = append(out, fmt.Sprintf("values.meshConfig.%s gives way to meshConfig.%s", k, k))
		}
	}
	return out
}

func enabledAddons(spec map[string]any) []string {
	names := []string{}
	for name, a := range lookupMap(spec, "addons") {
		if m, ok := a.(map[string]any); ok && lookupBool(m, "enabled") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
