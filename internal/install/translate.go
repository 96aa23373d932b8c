package install

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// HelmRelease is one component of an install as a release of Helm.
type HelmRelease struct {
	// Name is the component: its key under spec.components, or a gateway's name.
	Name string
	// Release and Namespace are Helm's, Chart is the chart's folder in the
	// directory that the translation is written to.
	Release, Namespace, Chart string
	// Values are those to give to the chart.
	Values map[string]any
	// Objects are what the release consists of.
	Objects []*unstructured.Unstructured
	// Rest is what no value says: how Helm's objects differ from the install's.
	Rest *Difference

	dir string // of the chart, below charts/
}

// releases are the names that Istio's documents give the charts' releases.
var releases = map[string]string{"base": "istio-base", "pilot": "istiod", "cni": "istio-cni", "ztunnel": "ztunnel"}

// Translate turns each component of an install into a Helm release: values from
// which the same chart makes the same objects. Settings under k8s become values
// where the chart has one that does the same.
func Translate(s *Spec) ([]HelmRelease, error) {
	comps, err := s.components()
	if err != nil {
		return nil, err
	}
	var out []HelmRelease
	for _, c := range comps {
		r, err := c.translate(s)
		if err != nil {
			return nil, err
		}
		out = append(out, *r)
	}
	return out, nil
}

func (c *component) translate(s *Spec) (*HelmRelease, error) {
	caps, err := capabilities(s.kubeVersion)
	if err != nil {
		return nil, err
	}
	want, _, err := c.render(s, caps)
	if err != nil {
		return nil, err
	}
	if c.key == "base" && s.Revision == DefaultRevision && lookupString(s.tree, "spec", "values", "defaultRevision") == "" {
		// An install has istiod validate objects that name no revision. The chart
		// does too when told; in the profile stable it would make more besides.
		told := *c
		told.values = c.helmValues(s)
		put(told.values, DefaultRevision, "defaultRevision")
		if more, _, err := told.render(s, caps); err == nil && len(more.Objects) == len(want.Objects)+1 {
			c, want = &told, more
		}
	}
	helm := *c
	helm.k8s, helm.settings = nil, kubernetesSettings{}
	helm.release = cmp.Or(c.name, releases[c.key])
	if helm.values == nil {
		helm.values = c.helmValues(s)
	}
	compare := func() (*Difference, []*unstructured.Unstructured, error) {
		got, _, err := helm.render(s, caps)
		if err != nil {
			return nil, nil, err
		}
		return Compare(withoutRelease(got.Objects), withoutRelease(want.Objects)), got.Objects, nil
	}
	rest, objects, err := compare()
	if err != nil {
		return nil, err
	}
	for _, field := range slices.Sorted(maps.Keys(c.k8s)) {
		before := helm.values
		helm.values = c.withSetting(before, field)
		less, more, err := compare()
		if err == nil && less.fields() < rest.fields() {
			rest, objects = less, more
		} else {
			helm.values = before // the chart has no such value, or it does something else
		}
	}
	return &HelmRelease{
		Name: cmp.Or(c.name, c.key), Release: helm.release, Namespace: c.namespace,
		Chart: "charts/" + path.Base(c.dir), Values: helm.values, Objects: objects, Rest: rest, dir: c.dir,
	}, nil
}

// withSetting are values with a setting of k8s where charts have one of its name.
func (c *component) withSetting(values map[string]any, field string) map[string]any {
	out := cloneMap(values)
	v := clone(c.k8s[field])
	if field == "env" { // charts have a map
		env := map[string]any{}
		list, _ := v.([]any)
		for _, e := range list {
			if m, ok := e.(map[string]any); ok {
				env[lookupString(m, "name")] = m["value"]
			}
		}
		v = env
	}
	root := c.root
	if c.flatten {
		root = nil
	}
	at := append(slices.Clone(root), field)
	if add, ok := v.(map[string]any); ok {
		if old := lookupMap(out, at...); old != nil {
			mergeInto(old, add)
			return out
		}
	}
	put(out, v, at...)
	return out
}

// fields counts what differs.
func (d *Difference) fields() int {
	n := 0
	for _, o := range d.Objects {
		n += max(len(o.Fields), 1)
	}
	return n
}

// withoutRelease are copies without what must differ: the labels that name the
// Helm release, and istiod's record of the values that it was installed with.
func withoutRelease(objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	out := make([]*unstructured.Unstructured, len(objects))
	for i, o := range objects {
		if o.GetKind() == "CustomResourceDefinition" { // large, and only its own labels count
			o = &unstructured.Unstructured{Object: maps.Clone(o.Object)}
			o.Object["metadata"] = clone(o.Object["metadata"])
		} else {
			o = o.DeepCopy()
		}
		for _, at := range [][]string{{"metadata", "labels"}, {"spec", "template", "metadata", "labels"}} {
			labels := lookupMap(o.Object, at...)
			delete(labels, "release")
			delete(labels, "app.kubernetes.io/instance")
		}
		if o.GetKind() == "ConfigMap" && lookup(o.Object, "data", "merged-values") != nil {
			delete(o.Object, "data")
		}
		out[i] = o
	}
	return out
}
