package mesh

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	core "k8s.io/api/core/v1"
)

// SelectableKinds are the kinds that [Snapshot.Selects] looks at.
func SelectableKinds() []Kind { return append(WorkloadKinds(), WorkloadEntry, WorkloadGroup) }

// Selects says whether a selector of Istio's objects picks anything: a
// workload, a WorkloadEntry, the entries of a WorkloadGroup, or a running pod
// whose labels are more than its template's. An empty namespace means all.
func (s *Snapshot) Selects(namespace string, selector map[string]string) bool {
	if len(s.Select(namespace, selector)) > 0 {
		return true
	}
	return s.SelectsMachines(namespace, selector) || len(s.RunningPods(namespace, selector)) > 0
}

// SelectsMachines is [Snapshot.Selects] of virtual machines alone: WorkloadEntries
// and WorkloadGroups.
func (s *Snapshot) SelectsMachines(namespace string, selector map[string]string) bool {
	for _, we := range in(s.WorkloadEntries(), namespace) {
		if entryHas(we, selector) {
			return true
		}
	}
	for _, wg := range in(s.WorkloadGroups(), namespace) {
		if labelsMatch(selector, wg.Spec.GetMetadata().GetLabels()) {
			return true
		}
	}
	return false
}

// entryHas says whether a WorkloadEntry has all the labels, in its spec or its
// metadata: istiod reads both, and believes the spec.
func entryHas(we *Resource[*networking.WorkloadEntry], selector map[string]string) bool {
	for k, want := range selector {
		got, ok := we.Spec.GetLabels()[k]
		if !ok {
			got, ok = we.Labels[k]
		}
		if !ok || got != want {
			return false
		}
	}
	return true
}

// RunningPods are the Pods of a cluster with all the labels, in a namespace or,
// when it is empty, in all. It looks at every pod there: for what is asked rarely.
func (s *Snapshot) RunningPods(namespace string, selector map[string]string) []*Workload {
	s.touch(Pod)
	var pods []*Workload
	for _, o := range s.byKind[Pod] {
		if (namespace == "" || o.Namespace == namespace) && labelsMatch(selector, o.Labels) && o.FromCluster() {
			pods = append(pods, PodWorkload(As[*core.PodSpec](o)))
		}
	}
	return pods
}

// PodWorkload is one Pod as a workload of its own, whoever controls it.
func PodWorkload(pod *Resource[*core.PodSpec]) *Workload {
	return &Workload{Object: pod.Object, PodLabels: pod.Labels, PodAnnotations: pod.Annotations, Pod: pod.Spec}
}

// Merge is both selectors at once; ok is false when no labels can satisfy both.
func Merge(a, b map[string]string) (both map[string]string, ok bool) {
	both = make(map[string]string, len(a)+len(b))
	for k, v := range a {
		both[k] = v
	}
	for k, v := range b {
		if other, there := both[k]; there && other != v {
			return nil, false
		}
		both[k] = v
	}
	return both, true
}

// addedLabels are the keys that istiod, the injector or a controller adds to
// what a template says; a key that ends in "/" stands for all below it.
func addedLabels() []string {
	return []string{
		"topology.kubernetes.io/", "topology.istio.io/", "failure-domain.beta.kubernetes.io/", "kubernetes.io/hostname",
		"security.istio.io/", "service.istio.io/", "istio.io/rev", "networking.istio.io/",
		"pod-template-hash", "controller-revision-hash", "rollouts-pod-template-hash", "pod-template-generation",
		"statefulset.kubernetes.io/", "apps.kubernetes.io/", "batch.kubernetes.io/",
	}
}

// AddedLabel says whether endpoints get the label without their pod template
// saying so, such as their zone.
func AddedLabel(key string) bool {
	for _, added := range addedLabels() {
		if key == added || (strings.HasSuffix(added, "/") && strings.HasPrefix(key, added)) {
			return true
		}
	}
	return false
}

// in is the part of a list in a namespace, all of it for the empty one.
func in[T any](list []*Resource[T], namespace string) []*Resource[T] {
	if namespace == "" {
		return list
	}
	return InNamespace(list, namespace)
}

// FromCluster says whether a cluster has taken the object in: it was read from
// one, or a file holds what one returned.
func (o *Object) FromCluster() bool {
	return o.Origin.File == "" || text(o.Field("metadata", "uid")) != ""
}

// Subset says whether labels have all of a selector.
func Subset(selector, labels map[string]string) bool { return labelsMatch(selector, labels) }
