package mesh

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/labels"
)

// Discovers says whether istiod looks at a namespace at all: it does, unless
// the mesh config has discoverySelectors and none selects it.
func (s *Snapshot) Discovers(namespace *Object) bool { return s.discovers(namespace) }

func (c *content) discovers(namespace *Object) bool {
	selectors := c.config().GetDiscoverySelectors()
	if len(selectors) == 0 {
		return true
	}
	set := labels.Set{namespaceName: namespace.Name} // the API server adds it
	maps.Copy(set, namespace.Labels)
	for _, selector := range selectors {
		if selects(labelSelector(selector), set) {
			return true
		}
	}
	return false
}

// Undiscovered is an object that exists in a namespace which istiod does not
// look at: it is in no list, and nothing in the mesh can refer to it. Nil when
// there is none. Istio's and the Gateway API's configuration and Services are
// left out like this; workloads are not, since proxies tell istiod of themselves.
func (s *Snapshot) Undiscovered(kind Kind, namespace, name string) *Object {
	s.touch(kind)
	return s.undiscovered[Ref{Kind: kind, Namespace: namespace, Name: name}]
}

// dropUndiscovered takes out of the index what istiod does not see.
func (c *content) dropUndiscovered() {
	c.undiscovered = map[Ref]*Object{}
	if len(c.config().GetDiscoverySelectors()) == 0 {
		return
	}
	outside := map[string]bool{}
	for _, ns := range c.byKind[Namespace] {
		outside[ns.Name] = !c.discovers(ns)
	}
	for kind, objects := range c.byKind {
		if !kind.IsIstio() && kind.Group != gatewayGroup && kind != Service || !kind.Namespaced {
			continue
		}
		c.byKind[kind] = slices.DeleteFunc(objects, func(o *Object) bool {
			if outside[o.Namespace] {
				c.undiscovered[o.Ref] = o
				c.byRef.drop(o.Ref)
			}
			return outside[o.Namespace]
		})
	}
}
