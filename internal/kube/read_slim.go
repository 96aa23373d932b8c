package kube

import (
	"hash/maphash"
	"maps"
	"reflect"
	"slices"
	"sync"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/mesh"
)

// slimmer keeps of objects what analyze looks at: a tenth of what a cluster
// says of a pod, and that once for all pods of an owner. Nothing that it makes
// holds on to the page that an object came in.
type slimmer struct {
	mu    sync.Mutex
	pods  map[string]*core.PodSpec // the latest of each owner
	texts map[uint64]map[string]string
	seed  maphash.Seed
}

// newSlimmer is a slimmer that knows no object yet.
func newSlimmer() *slimmer {
	return &slimmer{pods: map[string]*core.PodSpec{}, texts: map[uint64]map[string]string{}, seed: maphash.MakeSeed()}
}

// same is m or an equal map seen before: selectors, labels of templates and
// those of their pods are mostly alike.
func (s *slimmer) same(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	var hash uint64
	for k, v := range m {
		hash += maphash.String(s.seed, k)*31 + maphash.String(s.seed, v) // in any order
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.texts[hash]; maps.Equal(known, m) {
		return known
	}
	s.texts[hash] = m
	return m
}

// object is the slim form of an object of the typed client, nil where there is
// none. Its maps are the client's.
func (s *slimmer) object(kind mesh.Kind, item runtime.Object, m metav1.Object, cluster string) *mesh.Object {
	spec, ok := s.spec(item)
	if !ok {
		return nil
	}
	meta := metav1.ObjectMeta{
		Name: m.GetName(), Namespace: m.GetNamespace(), Labels: s.same(m.GetLabels()), Annotations: s.same(m.GetAnnotations()),
		OwnerReferences: m.GetOwnerReferences(), CreationTimestamp: m.GetCreationTimestamp(), UID: m.GetUID(), DeletionTimestamp: m.GetDeletionTimestamp(),
	}
	var state func() any
	if pod, ok := item.(*core.Pod); ok {
		spec, state = s.shared(&meta, spec.(*core.PodSpec)), statusOf(&pod.Status)
	}
	var conditions []metav1.Condition // what istiod says of waypoints
	if svc, ok := item.(*core.Service); ok {
		conditions = svc.Status.Conditions
	}
	deleted := meta.DeletionTimestamp
	var o *mesh.Object
	raw := func() map[string]any {
		own := map[string]any{"name": o.Name, "labels": anyMap(o.Labels), "annotations": anyMap(o.Annotations)}
		if o.Namespace != "" {
			own["namespace"] = o.Namespace
		}
		if deleted != nil {
			own["deletionTimestamp"] = deleted.UTC().Format(metav1.RFC3339Micro)
		}
		raw := map[string]any{"apiVersion": kind.APIVersion(), "kind": kind.Kind, "metadata": own}
		if spec != nil {
			raw["spec"], _ = runtime.DefaultUnstructuredConverter.ToUnstructured(spec)
		}
		if state != nil {
			raw["status"] = state()
		}
		if len(conditions) > 0 {
			raw["status"], _ = runtime.DefaultUnstructuredConverter.ToUnstructured(&core.ServiceStatus{Conditions: conditions})
		}
		return raw
	}
	o = mesh.NewTyped(kind, &meta, spec, raw, mesh.Origin{Cluster: cluster})
	o.Reread(raw)
	return o
}

func anyMap(texts map[string]string) map[string]any {
	values := make(map[string]any, len(texts))
	for k, v := range texts {
		values[k] = v
	}
	return values
}

// spec is a copy of the part of an object that mesh's accessor of its kind
// yields, nil for kinds of which only the metadata counts.
func (s *slimmer) spec(item runtime.Object) (spec any, ok bool) {
	switch o := item.(type) {
	case *core.Namespace, *core.ServiceAccount:
		return nil, true
	case *core.Pod:
		return slimPod(&o.Spec, o.Labels), true
	case *core.Service:
		spec := o.Spec
		spec.Selector = s.same(spec.Selector)
		return &spec, true
	case *apps.Deployment:
		spec := o.Spec
		spec.Selector = s.selector(spec.Selector)
		spec.Template = s.template(&spec.Template)
		return &spec, true
	case *apps.StatefulSet:
		spec := o.Spec
		spec.Template, spec.VolumeClaimTemplates = s.template(&spec.Template), nil
		return &spec, true
	case *apps.DaemonSet:
		spec := o.Spec
		spec.Template = s.template(&spec.Template)
		return &spec, true
	case *apps.ReplicaSet:
		spec := o.Spec
		spec.Selector = s.selector(spec.Selector)
		spec.Template = s.template(&spec.Template)
		return &spec, true
	case *batch.Job:
		spec := o.Spec
		spec.Template = s.template(&spec.Template)
		return &spec, true
	case *batch.CronJob:
		spec := o.Spec
		spec.JobTemplate.Spec.Template = s.template(&spec.JobTemplate.Spec.Template)
		return &spec, true
	}
	return nil, false
}

func (s *slimmer) selector(selector *metav1.LabelSelector) *metav1.LabelSelector {
	if selector != nil {
		selector.MatchLabels = s.same(selector.MatchLabels)
	}
	return selector
}

func (s *slimmer) template(t *core.PodTemplateSpec) core.PodTemplateSpec {
	return core.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: s.same(t.Labels), Annotations: s.same(t.Annotations)},
		Spec:       *slimPod(&t.Spec, t.Labels),
	}
}

// slimPod is what checks look at of a pod: its containers' names, images, ports,
// arguments and users, and whose it is. The environment counts for istiod only.
func slimPod(spec *core.PodSpec, labels map[string]string) *core.PodSpec {
	return &core.PodSpec{
		Containers: slimContainers(spec.Containers, labels), InitContainers: slimContainers(spec.InitContainers, labels),
		ServiceAccountName: spec.ServiceAccountName, DeprecatedServiceAccount: spec.DeprecatedServiceAccount,
		HostNetwork: spec.HostNetwork, SecurityContext: spec.SecurityContext,
	}
}

// statusOf is what trim has left of a status, as the API has it, in a form that
// is small where only the phase is left.
func statusOf(status *core.PodStatus) func() any {
	if status.StartTime == nil && len(status.ContainerStatuses) == 0 && len(status.InitContainerStatuses) == 0 {
		phase := string(status.Phase)
		return func() any { return map[string]any{"phase": phase} }
	}
	whole := *status
	return func() any {
		raw, _ := runtime.DefaultUnstructuredConverter.ToUnstructured(&whole)
		return raw
	}
}

// proxyEnv is what tells a proxy which cluster it is in.
func proxyEnv(env []core.EnvVar) []core.EnvVar {
	for _, e := range env {
		if (e.Name == "ISTIO_META_CLUSTER_ID" || e.Name == "CLUSTER_ID") && e.Value != "" {
			return []core.EnvVar{{Name: e.Name, Value: e.Value}}
		}
	}
	return nil
}

func slimContainers(containers []core.Container, labels map[string]string) []core.Container {
	slim := make([]core.Container, len(containers))
	for i, c := range containers {
		slim[i] = core.Container{Name: c.Name, Image: c.Image, Args: c.Args, Ports: slices.Clip(c.Ports), SecurityContext: c.SecurityContext, RestartPolicy: c.RestartPolicy}
		switch {
		case labels["app"] == "istiod":
			slim[i].Env = c.Env
		case c.Name == mesh.ProxyContainer:
			slim[i].Env = proxyEnv(c.Env)
		}
	}
	return slim
}

// shared is a pod's spec or, when the owner's latest pod had the same, that one.
func (s *slimmer) shared(meta *metav1.ObjectMeta, spec *core.PodSpec) *core.PodSpec {
	if len(meta.OwnerReferences) == 0 {
		return spec
	}
	key := meta.Namespace + "/" + meta.OwnerReferences[0].Kind + "/" + meta.OwnerReferences[0].Name
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := s.pods[key]; reflect.DeepEqual(last, spec) {
		return last
	}
	s.pods[key] = spec
	return spec
}

// slimRaw drops from an object what makes up most of its text, and says whether
// it found any: what kubectl applied last, and of a CustomResourceDefinition the
// descriptions or, when no files are judged by it, the schemas.
func slimRaw(kind mesh.Kind, raw map[string]any, judges bool) bool {
	found := false
	meta, _ := raw["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	if text, _ := annotations[core.LastAppliedConfigAnnotation].(string); text != "" {
		annotations[core.LastAppliedConfigAnnotation], found = "", true
	}
	if kind != mesh.CustomResourceDefinition {
		return found
	}
	spec, _ := raw["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	for _, v := range versions {
		version, _ := v.(map[string]any)
		if judges {
			dropDescriptions(version["schema"])
		} else {
			delete(version, "schema")
		}
	}
	return true
}

func dropDescriptions(value any) {
	switch v := value.(type) {
	case map[string]any:
		if _, isText := v["description"].(string); isText {
			delete(v, "description")
		}
		for _, below := range v {
			dropDescriptions(below)
		}
	case []any:
		for _, below := range v {
			dropDescriptions(below)
		}
	}
}
