package mesh

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Workload is what runs pods: a controller with its pod template, or a Pod
// that belongs to no controller of the snapshot.
type Workload struct {
	// Object is the Deployment, StatefulSet ... or Pod.
	Object *Object
	// PodLabels and PodAnnotations are those of the pods.
	PodLabels      map[string]string
	PodAnnotations map[string]string
	Pod            *core.PodSpec
	// Template is the path of the pod template in Object, such as
	// spec.template; empty for a Pod.
	Template string
}

// At is a location in the pod template, such as "metadata.labels" or
// "spec.containers[0].image", wherever the template stands in the object.
func (w *Workload) At(format string, args ...any) Location {
	prefix := ""
	if w.Template != "" {
		prefix = w.Template + "."
	}
	return w.Object.At(prefix+format, args...)
}

// WorkloadKinds are the kinds that [Snapshot.Workloads] looks at, besides any
// unknown kind that carries a pod template.
func WorkloadKinds() []Kind {
	return []Kind{Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob}
}

type workloadIndex struct {
	all         []*Workload
	byNamespace map[string][]*Workload
	byLabel     map[string][]*Workload // "key=value", over all namespaces
}

// Workloads are all workloads, by namespace, kind and name.
func (s *Snapshot) Workloads() []*Workload {
	s.touch(WorkloadKinds()...)
	return s.workloads().all
}

// WorkloadsIn are the workloads of a namespace.
func (s *Snapshot) WorkloadsIn(namespace string) []*Workload {
	s.touch(WorkloadKinds()...)
	return s.workloads().byNamespace[namespace]
}

// Select are the workloads whose pods have all the labels, in a namespace, or
// in all when namespace is empty. An empty selector selects every workload.
func (s *Snapshot) Select(namespace string, selector map[string]string) []*Workload {
	s.touch(WorkloadKinds()...)
	s.conclude(true, WorkloadKinds()...)
	index := s.workloads()
	candidates := index.all
	if namespace != "" {
		candidates = index.byNamespace[namespace]
	}
	for k, v := range selector {
		if list := index.byLabel[k+"="+v]; len(list) < len(candidates) {
			candidates = list
		}
	}
	var selected []*Workload
	for _, w := range candidates {
		if (namespace == "" || w.Object.Namespace == namespace) && labelsMatch(selector, w.PodLabels) {
			selected = append(selected, w)
		}
	}
	return selected
}

// KnowsWorkloads says whether the absence of a workload in a namespace means
// that there is none; for the empty namespace, whether anywhere.
func (s *Snapshot) KnowsWorkloads(namespace string) bool {
	s.touch(WorkloadKinds()...)
	return s.conclude(s.knowsWorkloads(namespace), WorkloadKinds()...)
}

func (s *Snapshot) knowsWorkloads(namespace string) bool {
	if s.options.incomplete || slices.ContainsFunc(s.options.others, func(c Cluster) bool { return !c.tells(Pod, namespace) }) {
		return false
	}
	if s.options.Complete || s.read[Pod] {
		return true
	}
	if namespace == "" {
		return len(s.workloads().all) > 0
	}
	return s.knownIn(Pod, namespace) || len(s.workloads().byNamespace[namespace]) > 0
}

func labelsMatch(selector, labels map[string]string) bool {
	for k, v := range selector {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func (c *content) newWorkloads() *workloadIndex {
	var all []*Workload
	add := func(o *Object, path string, t *core.PodTemplateSpec) {
		if t == nil {
			return
		}
		all = append(all, &Workload{Object: o, PodLabels: t.Labels, PodAnnotations: t.Annotations, Pod: &t.Spec, Template: path})
	}
	for _, r := range typedOf[*apps.DeploymentSpec](c, Deployment) {
		add(r.Object, "spec.template", &r.Spec.Template)
	}
	for _, r := range typedOf[*apps.StatefulSetSpec](c, StatefulSet) {
		add(r.Object, "spec.template", &r.Spec.Template)
	}
	for _, r := range typedOf[*apps.DaemonSetSpec](c, DaemonSet) {
		add(r.Object, "spec.template", &r.Spec.Template)
	}
	for _, r := range typedOf[*batch.CronJobSpec](c, CronJob) {
		add(r.Object, "spec.jobTemplate.spec.template", &r.Spec.JobTemplate.Spec.Template)
	}
	for kind, objects := range c.byKind {
		if _, builtin := kindByName[kind.Group+"/"+kind.Kind]; builtin {
			continue
		}
		for _, o := range objects {
			for _, t := range foreignTemplates(o) {
				add(o, t.path, t.template)
			}
		}
	}
	for _, r := range typedOf[*apps.ReplicaSetSpec](c, ReplicaSet) {
		if !c.hasController(r.Object) {
			add(r.Object, "spec.template", &r.Spec.Template)
		}
	}
	for _, r := range typedOf[*batch.JobSpec](c, Job) {
		if !c.hasController(r.Object) {
			add(r.Object, "spec.template", &r.Spec.Template)
		}
	}
	for _, r := range typedOf[*core.PodSpec](c, Pod) {
		if !c.hasController(r.Object) {
			all = append(all, &Workload{Object: r.Object, PodLabels: r.Labels, PodAnnotations: r.Annotations, Pod: r.Spec})
		}
	}
	for _, o := range c.elsewhere {
		if w := workloadOf(o); w != nil && !c.hasController(o) {
			all = append(all, w)
		}
	}
	return indexWorkloads(all)
}

// workloadOf is an object as a workload; nil when it is none.
func workloadOf(o *Object) *Workload {
	path, template := "spec.template", (*core.PodTemplateSpec)(nil)
	switch spec := o.Typed().(type) {
	case *apps.DeploymentSpec:
		template = &spec.Template
	case *apps.StatefulSetSpec:
		template = &spec.Template
	case *apps.DaemonSetSpec:
		template = &spec.Template
	case *apps.ReplicaSetSpec:
		template = &spec.Template
	case *batch.JobSpec:
		template = &spec.Template
	case *batch.CronJobSpec:
		path, template = "spec.jobTemplate.spec.template", &spec.JobTemplate.Spec.Template
	case *core.PodSpec:
		return &Workload{Object: o, PodLabels: o.Labels, PodAnnotations: o.Annotations, Pod: spec}
	default:
		if _, known := kindByName[o.Kind.Group+"/"+o.Kind.Kind]; known {
			return nil
		}
		if found := foreignTemplates(o); len(found) > 0 {
			path, template = found[0].path, found[0].template
		}
	}
	if template == nil {
		return nil
	}
	return &Workload{Object: o, PodLabels: template.Labels, PodAnnotations: template.Annotations, Pod: &template.Spec, Template: path}
}

func indexWorkloads(all []*Workload) *workloadIndex {
	slices.SortStableFunc(all, func(a, b *Workload) int { return a.Object.Compare(b.Object.Ref) })
	index := &workloadIndex{all: all, byNamespace: map[string][]*Workload{}, byLabel: map[string][]*Workload{}}
	for _, w := range all {
		index.byNamespace[w.Object.Namespace] = append(index.byNamespace[w.Object.Namespace], w)
		for _, k := range slices.Sorted(maps.Keys(w.PodLabels)) {
			key := k + "=" + w.PodLabels[k]
			index.byLabel[key] = append(index.byLabel[key], w)
		}
	}
	return index
}

// foreignTemplate is a pod template of a kind that meshctl does not know.
type foreignTemplate struct {
	path     string
	template *core.PodTemplateSpec
}

// foreignTemplates are the pod templates that an object of a kind that meshctl
// does not know carries, such as the one of Argo's Rollout or Knative's Service
// in spec.template, or those of a JobSet deeper down.
func foreignTemplates(o *Object) []foreignTemplate {
	var found []foreignTemplate
	spec, _ := o.Raw()["spec"].(map[string]any)
	walkTemplates(Path{"spec"}, spec, &found)
	return found
}

func walkTemplates(path Path, value any, found *[]foreignTemplate) {
	const deepest = 8
	if len(path) > deepest {
		return
	}
	switch v := value.(type) {
	case map[string]any:
		if t := podTemplate(path, v); t != nil {
			*found = append(*found, foreignTemplate{path.String(), t})
			return
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			walkTemplates(path.Join(name), v[name], found)
		}
	case []any:
		for i, item := range v {
			walkTemplates(path.Join(i), item, found)
		}
	}
}

// podTemplate is a field called something like template that has containers;
// nil for anything else.
func podTemplate(path Path, value map[string]any) *core.PodTemplateSpec {
	name, _ := path[len(path)-1].(string)
	spec, _ := value["spec"].(map[string]any)
	if containers, ok := spec["containers"].([]any); !ok || len(containers) == 0 || !strings.HasSuffix(strings.ToLower(name), "template") {
		return nil
	}
	t := &core.PodTemplateSpec{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(value, t); err != nil {
		return nil
	}
	return t
}

// hasController says whether the snapshot holds the object that runs o, so
// that its pods are judged by that object's template.
func (c *content) hasController(o *Object) bool {
	return slices.ContainsFunc(o.Owners, func(owner metav1.OwnerReference) bool { return c.controls(o, owner) })
}

func (c *content) controls(o *Object, owner metav1.OwnerReference) bool {
	kind, ok := KindOf(owner.APIVersion, owner.Kind)
	if !ok {
		kind = ForeignKind(owner.APIVersion, owner.Kind)
	}
	if found := c.byRef.get(Ref{Kind: kind, Namespace: o.Namespace, Name: owner.Name}); found != nil {
		return true
	}
	// A pod's ReplicaSet may be unread where its Deployment is there.
	hash := o.Labels["pod-template-hash"]
	name, cut := strings.CutSuffix(owner.Name, "-"+hash)
	return kind == ReplicaSet && hash != "" && cut && c.byRef.get(Ref{Kind: Deployment, Namespace: o.Namespace, Name: name}) != nil
}

// TargetPort is the port of the workload that a Service's port leads to; 0
// when it is named and no container has the name.
func (w *Workload) TargetPort(port core.ServicePort) uint32 {
	if port.TargetPort.Type == intstr.Int {
		return uint32(cmp.Or(port.TargetPort.IntVal, port.Port))
	}
	protocol := cmp.Or(port.Protocol, core.ProtocolTCP)
	for _, containers := range [][]core.Container{w.Pod.Containers, w.Pod.InitContainers} {
		for _, c := range containers {
			for _, own := range c.Ports {
				if own.Name == port.TargetPort.StrVal && cmp.Or(own.Protocol, core.ProtocolTCP) == protocol {
					return uint32(own.ContainerPort)
				}
			}
		}
	}
	return 0
}
