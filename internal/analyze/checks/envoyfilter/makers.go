package envoyfilter

import (
	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
)

// made is what patches of a namespace put into the configuration.
type made struct {
	namespace string
	applyTo   networking.EnvoyFilter_ApplyTo
	name      string
}

// makers finds the patches that make what others refer to.
type makers struct {
	pass *analyze.Pass
	by   map[made][]patch
	any  map[made][]patch // over all namespaces
}

// most is how many makers of one name are looked at: more do not change what
// is said of a patch that refers to it.
const most = 32

func makersOf(p *analyze.Pass, all []patch) makers {
	m := makers{p, map[made][]patch{}, map[made][]patch{}}
	for _, x := range all {
		if name := x.makes(); name != "" {
			key := made{x.filter.Namespace, x.spec.GetApplyTo(), name}
			m.by[key] = append(m.by[key], x)
			key.namespace = ""
			m.any[key] = append(m.any[key], x)
		}
	}
	return m
}

// of are patches that make what x refers to, in proxies that get both.
func (m makers) of(x patch) []patch {
	if x.anchor() == "" {
		return nil
	}
	key := made{x.filter.Namespace, x.spec.GetApplyTo(), x.anchor()}
	root := key
	root.namespace = m.pass.RootNamespace()
	candidates := [][]patch{m.by[key]}
	if key == root {
		key.namespace = ""
		candidates = [][]patch{m.any[key]}
	} else {
		candidates = append(candidates, m.by[root])
	}
	var found []patch
	for _, list := range candidates {
		for _, other := range list[:min(most, len(list))] {
			same := other.filter.Object == x.filter.Object && other.index == x.index
			if !same && x.meets(m.pass, other) {
				found = append(found, other)
			}
		}
	}
	return found
}
