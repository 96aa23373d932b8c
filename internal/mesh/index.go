package mesh

import "iter"

// refIndex finds objects by kind, namespace and name. Kinds are large keys and
// few: they are looked up apart.
type refIndex map[Kind]map[nameKey]*Object

type nameKey struct{ namespace, name string }

func (x refIndex) get(r Ref) *Object { return x[r.Kind][nameKey{r.Namespace, r.Name}] }

func (x refIndex) put(o *Object) {
	names := x[o.Kind]
	if names == nil {
		names = map[nameKey]*Object{}
		x[o.Kind] = names
	}
	names[nameKey{o.Namespace, o.Name}] = o
}

func (x refIndex) drop(r Ref) { delete(x[r.Kind], nameKey{r.Namespace, r.Name}) }

func (x refIndex) size() int {
	n := 0
	for _, names := range x {
		n += len(names)
	}
	return n
}

// all are the objects in no particular order.
func (x refIndex) all() iter.Seq[*Object] {
	return func(yield func(*Object) bool) {
		for _, names := range x {
			for _, o := range names {
				if !yield(o) {
					return
				}
			}
		}
	}
}
