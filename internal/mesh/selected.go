package mesh

import (
	"maps"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	core "k8s.io/api/core/v1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
)

// SelectableKinds are the kinds that [Snapshot.Selects] looks at.
func SelectableKinds() []Kind {
	return append(WorkloadKinds(), WorkloadEntry, WorkloadGroup, KubernetesGateway)
}

// Selects says whether a selector of Istio's objects picks anything: a
// workload, a WorkloadEntry, the entries of a WorkloadGroup, the pods that a
// Gateway of Kubernetes gets, or a running pod whose labels are more than its
// template's. An empty namespace means all.
func (s *Snapshot) Selects(namespace string, selector map[string]string) bool {
	if len(s.Select(namespace, selector)) > 0 {
		return true
	}
	return s.SelectsMachines(namespace, selector) || s.SelectsProvisioned(namespace, selector) || len(s.RunningPods(namespace, selector)) > 0
}

// SelectsProvisioned is [Snapshot.Selects] of the pods alone that Gateways of
// Kubernetes get: no file holds those.
func (s *Snapshot) SelectsProvisioned(namespace string, selector map[string]string) bool {
	s.touch(KubernetesGateway)
	s.conclude(true, KubernetesGateway)
	return len(s.content.provisioned().find(namespace, selector)) > 0
}

// SelectsMachines is [Snapshot.Selects] of virtual machines alone: WorkloadEntries
// and WorkloadGroups.
func (s *Snapshot) SelectsMachines(namespace string, selector map[string]string) bool {
	s.touch(WorkloadEntry, WorkloadGroup)
	s.conclude(true, WorkloadEntry, WorkloadGroup)
	return len(s.content.machines().find(namespace, selector)) > 0
}

// RunningPods are the Pods that a cluster runs with all the labels, in a
// namespace or, when it is empty, in all.
func (s *Snapshot) RunningPods(namespace string, selector map[string]string) []*Workload {
	s.touch(Pod)
	var pods []*Workload
	for _, o := range s.content.pods().find(namespace, selector) {
		pods = append(pods, PodWorkload(As[*core.PodSpec](o)))
	}
	return pods
}

func (c *content) newPods() *labelIndex {
	x := &labelIndex{byLabel: map[string][]labelled{}}
	for _, o := range c.byKind[Pod] {
		if o.FromCluster() || c.options.Complete {
			x.add(o, o.Labels)
		}
	}
	return x
}

// newMachines indexes WorkloadEntries, of which istiod reads the labels in the
// spec and in the metadata and believes the spec, and WorkloadGroups.
func (c *content) newMachines() *labelIndex {
	x := &labelIndex{byLabel: map[string][]labelled{}}
	for _, we := range typedOf[*networking.WorkloadEntry](c, WorkloadEntry) {
		labels := maps.Clone(we.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		maps.Copy(labels, we.Spec.GetLabels())
		x.add(we.Object, labels)
	}
	for _, wg := range typedOf[*networking.WorkloadGroup](c, WorkloadGroup) {
		x.add(wg.Object, wg.Spec.GetMetadata().GetLabels())
	}
	return x
}

// newProvisioned indexes Gateways of Kubernetes by the labels of their pods: the
// Gateway's own, those of its infrastructure, and the names that istiod adds.
func (c *content) newProvisioned() *labelIndex {
	x := &labelIndex{byLabel: map[string][]labelled{}}
	for _, gw := range typedOf[*gatewayapi.GatewaySpec](c, KubernetesGateway) {
		labels := maps.Clone(gw.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		if gw.Spec.Infrastructure != nil {
			for k, v := range gw.Spec.Infrastructure.Labels {
				labels[string(k)] = string(v)
			}
		}
		class := string(gw.Spec.GatewayClassName)
		labels[GatewayNameLabel], labels["gateway.networking.k8s.io/gateway-class-name"] = gw.Name, class
		labels["service.istio.io/canonical-name"] = gw.Name + "-" + class
		x.add(gw.Object, labels)
	}
	return x
}

// labelIndex finds objects by the labels of what they stand for.
type labelIndex struct {
	all     []labelled
	byLabel map[string][]labelled // "key=value"
}

type labelled struct {
	object *Object
	labels map[string]string
}

func (x *labelIndex) add(o *Object, labels map[string]string) {
	l := labelled{o, labels}
	x.all = append(x.all, l)
	for k, v := range labels {
		x.byLabel[k+"="+v] = append(x.byLabel[k+"="+v], l)
	}
}

// find are the objects with all labels of a selector, in a namespace or, when
// it is empty, in all.
func (x *labelIndex) find(namespace string, selector map[string]string) []*Object {
	candidates := x.all
	for k, v := range selector {
		if list := x.byLabel[k+"="+v]; len(list) < len(candidates) {
			candidates = list
		}
	}
	var found []*Object
	for _, c := range candidates {
		if (namespace == "" || c.object.Namespace == namespace) && labelsMatch(selector, c.labels) {
			found = append(found, c.object)
		}
	}
	return found
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

// FromCluster says whether a cluster has taken the object in: it was read from
// one, or a file holds what one returned, as the uid, a status, owners or the
// injector's annotation show.
func (o *Object) FromCluster() bool {
	return o.Origin.File == "" || o.lived
}

// Running says whether a pod is one that runs, not one that somebody may create:
// it is from a cluster, or the input is the whole mesh as it is.
func (s *Snapshot) Running(pod *Object) bool {
	return pod.FromCluster() || s.options.Complete
}

// Subset says whether labels have all of a selector.
func Subset(selector, labels map[string]string) bool { return labelsMatch(selector, labels) }
