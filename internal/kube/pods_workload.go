package kube

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/hint"
)

// gatewayNameLabel is on the pods that a Kubernetes Gateway got.
const gatewayNameLabel = "gateway.networking.k8s.io/gateway-name"

// workloadResource is the resource of a kind as people type it. The kinds of
// every day are known without asking the API server.
func workloadResource(kind string) (schema.GroupVersionResource, bool) {
	r := func(group, version, resource string) (schema.GroupVersionResource, bool) {
		return schema.GroupVersionResource{Group: group, Version: version, Resource: resource}, true
	}
	switch strings.ToLower(kind) {
	case "deploy", "deployment", "deployments":
		return r("apps", "v1", "deployments")
	case "rs", "replicaset", "replicasets":
		return r("apps", "v1", "replicasets")
	case "sts", "statefulset", "statefulsets":
		return r("apps", "v1", "statefulsets")
	case "ds", "daemonset", "daemonsets":
		return r("apps", "v1", "daemonsets")
	case "job", "jobs":
		return r("batch", "v1", "jobs")
	case "svc", "service", "services":
		return r("", "v1", "services")
	case "gtw", "gateway", "gateways":
		return r("gateway.networking.k8s.io", "v1", "gateways")
	}
	return schema.GroupVersionResource{}, false
}

func (c *Client) findWorkloadPods(ctx context.Context, kind, arg, namespace string) ([]*corev1.Pod, error) {
	resource, known := workloadResource(kind)
	if !known {
		var err error
		if resource, err = c.mappedResource(kind); err != nil {
			return nil, err
		}
	}
	name, ns := splitNamespace(arg, namespace)
	object, err := c.workload(ctx, resource, kind, name, ns)
	if err != nil {
		return nil, err
	}
	selector, err := podSelector(object, resource)
	if err != nil {
		return nil, hint.Usagef("name a pod, or a kind that selects pods such as deploy, sts, ds, job or svc", "%s/%s in namespace %q: %w", kind, name, ns, err)
	}
	pods, err := c.PodsBySelector(ctx, ns, selector.String())
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, hint.Unanswerablef(fmt.Sprintf("`kubectl get pods -n %s -l '%s'` is empty: scale it up, or look at its events", ns, selector),
			"%s/%s in namespace %q has no pods", kind, name, ns)
	}
	return pods, nil
}

func (c *Client) workload(ctx context.Context, resource schema.GroupVersionResource, kind, name, namespace string) (*unstructured.Unstructured, error) {
	d, err := c.Dynamic()
	if err != nil {
		return nil, err
	}
	object, err := d.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if err == nil {
		return object, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, Explain(fmt.Sprintf("reading %s/%s in namespace %s", kind, name, namespace), err)
	}
	next := fmt.Sprintf("`kubectl get %s -n %s` shows what is there; another namespace is named with -n or as %s/%s.NAMESPACE", resource.Resource, namespace, kind, name)
	if list, listErr := d.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 500}); listErr == nil {
		names := make([]string, 0, len(list.Items))
		for i := range list.Items {
			names = append(names, list.Items[i].GetName())
		}
		if meant := hint.Closest(name, names); meant != "" {
			next = fmt.Sprintf("did you mean \"%s/%s\"?", kind, meant)
		}
	}
	return nil, hint.Unanswerablef(next, "there is no %s %q in namespace %q", kind, name, namespace)
}

// mappedResource asks the API server for a kind that is not one of every day.
func (c *Client) mappedResource(kind string) (schema.GroupVersionResource, error) {
	mapper, err := c.Mapper()
	if err != nil {
		return schema.GroupVersionResource{}, err
	}
	resource, group, _ := strings.Cut(strings.ToLower(kind), ".")
	found, err := mapper.ResourceFor(schema.GroupVersionResource{Group: group, Resource: resource})
	switch {
	case meta.IsNoMatchError(err):
		return found, hint.Usagef(orElse(hint.DidYouMean(kind, []string{"deploy", "deployment", "statefulset", "daemonset", "replicaset", "job", "service", "gateway", "pod"}),
			"`kubectl api-resources` lists the kinds"), "the API server knows no kind %q", kind)
	case err != nil:
		return found, Explain(fmt.Sprintf("looking up kind %q", kind), err)
	}
	return found, nil
}

// podSelector is how object selects its pods: by spec.selector, either a map
// of labels (Service) or a label selector; a Gateway by the label Istio sets.
func podSelector(object *unstructured.Unstructured, resource schema.GroupVersionResource) (labels.Selector, error) {
	if resource.Group == "gateway.networking.k8s.io" && resource.Resource == "gateways" {
		return labels.SelectorFromSet(labels.Set{gatewayNameLabel: object.GetName()}), nil
	}
	raw, found, err := unstructured.NestedMap(object.Object, "spec", "selector")
	if err != nil || !found || len(raw) == 0 {
		return nil, fmt.Errorf("it selects no pods: it has no spec.selector")
	}
	if resource.Group == "" && resource.Resource == "services" {
		set, _, err := unstructured.NestedStringMap(object.Object, "spec", "selector")
		if err != nil {
			return nil, fmt.Errorf("reading its spec.selector: %w", err)
		}
		return labels.SelectorFromSet(set), nil
	}
	var typed metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(raw, &typed); err != nil {
		return nil, fmt.Errorf("reading its spec.selector: %w", err)
	}
	selector, err := metav1.LabelSelectorAsSelector(&typed)
	if err == nil && selector.Empty() {
		return nil, fmt.Errorf("its spec.selector names no labels")
	}
	return selector, err
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
