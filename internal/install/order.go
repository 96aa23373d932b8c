package install

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Objects are the objects of all components in an order in which they can be
// applied one after another: CRDs first, what is bound before its binding,
// configuration before workloads, services last.
func (m *Manifest) Objects() []*unstructured.Unstructured {
	type ranked struct {
		rank              int
		group, kind, name string
		obj               *unstructured.Unstructured
	}
	var all []ranked
	for _, c := range m.Components {
		for _, o := range c.Objects {
			gvk := o.GroupVersionKind()
			all = append(all, ranked{rank(gvk.Group, gvk.Kind), gvk.Group, gvk.Kind, o.GetName(), o})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.group, b.group),
			cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name))
	})
	out := make([]*unstructured.Unstructured, len(all))
	for i, r := range all {
		out[i] = r.obj
	}
	return out
}

// rank puts kinds in order of dependence; most kinds depend on nothing special.
func rank(group, kind string) int {
	switch group + "/" + kind {
	case "apiextensions.k8s.io/CustomResourceDefinition":
		return 0
	case "/ServiceAccount", "rbac.authorization.k8s.io/ClusterRole":
		return 1
	case "rbac.authorization.k8s.io/ClusterRoleBinding":
		return 2
	case "admissionregistration.k8s.io/ValidatingWebhookConfiguration":
		// Before istiod: one that is left from an earlier install may fail closed.
		return 3
	case "/ConfigMap":
		return 4
	case "autoscaling/HorizontalPodAutoscaler":
		return 6
	case "/Service":
		return 7
	}
	return 5
}
