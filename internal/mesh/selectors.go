package mesh

import (
	"maps"
	"slices"
	"time"
)

// Selectors finds the policies of a namespace that are for a workload, by the
// labels of its pods.
type Selectors[T any] struct {
	defaults map[string][]*Resource[T] // without selector, by namespace
	byLabel  map[labelIn][]*Resource[T]
	labels   func(T) map[string]string
}

type labelIn struct{ namespace, key, value string }

// IndexSelectors indexes policies by one label of their selectors, the first in order.
func IndexSelectors[T any](list []*Resource[T], labels func(T) map[string]string) *Selectors[T] {
	x := &Selectors[T]{defaults: map[string][]*Resource[T]{}, byLabel: map[labelIn][]*Resource[T]{}, labels: labels}
	for _, r := range list {
		selector := labels(r.Spec)
		if len(selector) == 0 {
			x.defaults[r.Namespace] = append(x.defaults[r.Namespace], r)
			continue
		}
		key := slices.Min(slices.Collect(maps.Keys(selector)))
		in := labelIn{r.Namespace, key, selector[key]}
		x.byLabel[in] = append(x.byLabel[in], r)
	}
	return x
}

// Defaults are the policies of a namespace without selector.
func (x *Selectors[T]) Defaults(namespace string) []*Resource[T] { return x.defaults[namespace] }

// Selecting are the policies of a namespace whose selector picks pods with these labels.
func (x *Selectors[T]) Selecting(namespace string, pod map[string]string) []*Resource[T] {
	var found []*Resource[T]
	for _, k := range slices.Sorted(maps.Keys(pod)) {
		for _, r := range x.byLabel[labelIn{namespace, k, pod[k]}] {
			if labelsMatch(x.labels(r.Spec), pod) {
				found = append(found, r)
			}
		}
	}
	return found
}

// Created is when a cluster took the object in; ok is false for files that do
// not say.
func (o *Object) Created() (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339, o.created)
	return at, err == nil
}

// Oldest is the one of several objects that istiod prefers: the oldest, of
// equally old ones the first by name, then namespace. It is nil when one of
// several does not say how old it is.
func Oldest[T any](list []*Resource[T]) *Resource[T] {
	if len(list) == 1 {
		return list[0]
	}
	var oldest *Resource[T]
	var since time.Time
	for _, r := range list {
		at, ok := r.Created()
		switch {
		case !ok:
			return nil
		case oldest == nil, at.Before(since), at.Equal(since) && (r.Name < oldest.Name || r.Name == oldest.Name && r.Namespace < oldest.Namespace):
			oldest, since = r, at
		}
	}
	return oldest
}
