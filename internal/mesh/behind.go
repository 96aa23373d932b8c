package mesh

import (
	"maps"
	"slices"

	core "k8s.io/api/core/v1"
)

// serviceIndex holds Services by namespace and the first label of their
// selector, so that those over a pod are found by the pod's labels.
type serviceIndex map[string][]*Resource[*core.ServiceSpec]

func (c *content) newServiceIndex() serviceIndex {
	index := serviceIndex{}
	for _, svc := range typedOf[*core.ServiceSpec](c, Service) {
		if len(svc.Spec.Selector) == 0 {
			continue
		}
		k := slices.Min(slices.Collect(maps.Keys(svc.Spec.Selector)))
		key := svc.Namespace + "/" + k + "=" + svc.Spec.Selector[k]
		index[key] = append(index[key], svc)
	}
	return index
}

// ServicesOver are the Services whose selector picks a workload's pods, by name.
func (s *Snapshot) ServicesOver(w *Workload) []*Resource[*core.ServiceSpec] {
	s.touch(Service)
	index := s.behind()
	var over []*Resource[*core.ServiceSpec]
	for k, v := range w.PodLabels {
		for _, svc := range index[w.Object.Namespace+"/"+k+"="+v] {
			if labelsMatch(svc.Spec.Selector, w.PodLabels) {
				over = append(over, svc)
			}
		}
	}
	slices.SortFunc(over, func(a, b *Resource[*core.ServiceSpec]) int { return a.Compare(b.Ref) })
	return over
}
