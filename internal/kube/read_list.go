package kube

import (
	"context"

	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"

	"github.com/meshctl/meshctl/internal/mesh"
)

// lister lists one page of a kind in a namespace, or in all when it is empty:
// the objects, and the token of the next page.
type lister func(ctx context.Context, namespace string, o metav1.ListOptions) ([]*mesh.Object, string, error)

// lister is the way to list a kind: typed and in protobuf where Kubernetes has
// it, otherwise as the JSON that the cluster serves.
func (r *reader) lister(kind mesh.Kind) (lister, error) {
	client, err := r.client.Kubernetes()
	if err != nil {
		return nil, err
	}
	if typed := typedLister(kind); typed != nil {
		return r.typedPages(kind, typed(client)), nil
	}
	mapper, err := r.client.Mapper()
	if err != nil {
		return nil, err
	}
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: kind.Group, Kind: kind.Kind})
	if err != nil {
		return nil, err
	}
	return r.jsonPages(kind, mapping.Resource, client.Discovery().RESTClient()), nil
}

// typedList lists one page by a typed client.
type typedList func(ctx context.Context, namespace string, o metav1.ListOptions) (runtime.Object, error)

func typedLister(kind mesh.Kind) func(kubernetes.Interface) typedList {
	switch kind {
	case mesh.Service:
		return in(func(c kubernetes.Interface, ns string) lists[*core.ServiceList] { return c.CoreV1().Services(ns) })
	case mesh.Namespace:
		return in(func(c kubernetes.Interface, _ string) lists[*core.NamespaceList] { return c.CoreV1().Namespaces() })
	case mesh.Pod:
		return in(func(c kubernetes.Interface, ns string) lists[*core.PodList] { return c.CoreV1().Pods(ns) })
	case mesh.ConfigMap:
		return in(func(c kubernetes.Interface, ns string) lists[*core.ConfigMapList] { return c.CoreV1().ConfigMaps(ns) })
	case mesh.ServiceAccount:
		return in(func(c kubernetes.Interface, ns string) lists[*core.ServiceAccountList] {
			return c.CoreV1().ServiceAccounts(ns)
		})
	case mesh.Deployment:
		return in(func(c kubernetes.Interface, ns string) lists[*apps.DeploymentList] { return c.AppsV1().Deployments(ns) })
	case mesh.StatefulSet:
		return in(func(c kubernetes.Interface, ns string) lists[*apps.StatefulSetList] {
			return c.AppsV1().StatefulSets(ns)
		})
	case mesh.DaemonSet:
		return in(func(c kubernetes.Interface, ns string) lists[*apps.DaemonSetList] { return c.AppsV1().DaemonSets(ns) })
	case mesh.ReplicaSet:
		return in(func(c kubernetes.Interface, ns string) lists[*apps.ReplicaSetList] { return c.AppsV1().ReplicaSets(ns) })
	case mesh.Job:
		return in(func(c kubernetes.Interface, ns string) lists[*batch.JobList] { return c.BatchV1().Jobs(ns) })
	case mesh.CronJob:
		return in(func(c kubernetes.Interface, ns string) lists[*batch.CronJobList] { return c.BatchV1().CronJobs(ns) })
	}
	return nil
}

// lists is what every typed client can do.
type lists[L runtime.Object] interface {
	List(ctx context.Context, o metav1.ListOptions) (L, error)
}

func in[L runtime.Object](of func(kubernetes.Interface, string) lists[L]) func(kubernetes.Interface) typedList {
	return func(c kubernetes.Interface) typedList {
		return func(ctx context.Context, namespace string, o metav1.ListOptions) (runtime.Object, error) {
			return of(c, namespace).List(ctx, o)
		}
	}
}

// paged reads all pages of a list; size 0 makes it one.
func (r *reader) paged(ctx context.Context, list lister, namespace string, size int64) ([]*mesh.Object, error) {
	var all []*mesh.Object
	o := metav1.ListOptions{Limit: size}
	for {
		objects, next, err := list(ctx, namespace, o)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
		if next == "" {
			return all, nil
		}
		o.Continue = next
	}
}

func (r *reader) typedPages(kind mesh.Kind, list typedList) lister {
	return func(ctx context.Context, namespace string, o metav1.ListOptions) ([]*mesh.Object, string, error) {
		page, err := list(ctx, namespace, o)
		if err != nil {
			return nil, "", err
		}
		var objects []*mesh.Object
		err = meta.EachListItem(page, func(item runtime.Object) error {
			if o := r.object(kind, item); o != nil {
				objects = append(objects, o)
			}
			return nil
		})
		accessor, _ := meta.ListAccessor(page)
		return objects, accessor.GetContinue(), err
	}
}

// object is the snapshot's form of what a client returned.
func (r *reader) object(kind mesh.Kind, item runtime.Object) *mesh.Object {
	accessor, err := meta.Accessor(item)
	if err != nil {
		return nil
	}
	trim(item, accessor, r.options.ProxyStates)
	if r.options.Slim {
		if o := r.slim.object(kind, item, accessor, r.cluster); o != nil {
			return o
		}
	}
	return mesh.NewTyped(kind, accessor, specOf(item), func() map[string]any {
		raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(item)
		if err != nil {
			return map[string]any{}
		}
		raw["apiVersion"], raw["kind"] = kind.APIVersion(), kind.Kind
		return raw
	}, mesh.Origin{Cluster: r.cluster})
}

// trim drops what nobody asks for and what makes up most of an object's size.
func trim(item runtime.Object, meta metav1.Object, proxies bool) {
	meta.SetManagedFields(nil)
	if annotations := meta.GetAnnotations(); annotations[core.LastAppliedConfigAnnotation] != "" {
		annotations[core.LastAppliedConfigAnnotation] = ""
	}
	if pod, ok := item.(*core.Pod); ok {
		slim := core.PodStatus{Phase: pod.Status.Phase, Reason: pod.Status.Reason}
		if proxies {
			slim = *proxyStatus(&pod.Status)
		}
		pod.Status = slim
	}
}

// specOf is the part of a typed object that mesh's accessor of its kind yields.
func specOf(item runtime.Object) any {
	switch o := item.(type) {
	case *core.Service:
		return &o.Spec
	case *core.Pod:
		return &o.Spec
	case *apps.Deployment:
		return &o.Spec
	case *apps.StatefulSet:
		return &o.Spec
	case *apps.DaemonSet:
		return &o.Spec
	case *apps.ReplicaSet:
		return &o.Spec
	case *batch.Job:
		return &o.Spec
	case *batch.CronJob:
		return &o.Spec
	case *apiextensions.CustomResourceDefinition:
		return &o.Spec
	case *core.ConfigMap, *core.Secret, *admission.MutatingWebhookConfiguration, *admission.ValidatingWebhookConfiguration:
		return o
	}
	return nil
}
