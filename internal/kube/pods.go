package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/hint"
)

// FindPod resolves what a person calls a pod: "pod", "pod.namespace",
// "deploy/name" or "deploy/name.namespace" with any kind that selects pods.
// Without a namespace in arg, namespace is used. Of several pods it takes a
// ready one; the pod returned is running.
func (c *Client) FindPod(ctx context.Context, arg, namespace string) (*corev1.Pod, error) {
	pods, err := c.FindPods(ctx, arg, namespace)
	if err != nil {
		return nil, err
	}
	if err := MustRun(pods[0]); err != nil {
		return nil, err
	}
	return pods[0], nil
}

// MustRun is an error that says what a pod is when it is not running.
func MustRun(pod *corev1.Pod) error {
	if pod.Status.Phase == corev1.PodRunning {
		return nil
	}
	return hint.Unanswerablef(fmt.Sprintf("`kubectl describe pod -n %s %s` says why", pod.Namespace, pod.Name),
		"pod %s.%s is not running: it is %s", pod.Name, pod.Namespace, orUnknown(string(pod.Status.Phase)))
}

// FindPods resolves as [Client.FindPod] does, to all the pods: ready ones
// first, then running ones, then by name. There is at least one.
func (c *Client) FindPods(ctx context.Context, arg, namespace string) ([]*corev1.Pod, error) {
	kind, name, typed := strings.Cut(arg, "/")
	if !typed || isPodKind(kind) {
		if typed {
			arg = name
		}
		pod, err := c.findNamedPod(ctx, arg, namespace)
		if err != nil {
			return nil, err
		}
		return []*corev1.Pod{pod}, nil
	}
	if kind == "" || name == "" || strings.Contains(name, "/") {
		return nil, hint.Usagef("name a pod as POD, POD.NAMESPACE, deploy/NAME or svc/NAME", "%q does not name a pod or a workload", arg)
	}
	return c.findWorkloadPods(ctx, kind, name, namespace)
}

// PodsBySelector lists the pods of a namespace ("" is all) that a label
// selector matches, in the order of [Client.FindPods].
func (c *Client) PodsBySelector(ctx context.Context, namespace, selector string) ([]*corev1.Pod, error) {
	k, err := c.Kubernetes()
	if err != nil {
		return nil, err
	}
	list, err := k.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, Explain(listingPods(namespace), err)
	}
	pods := make([]*corev1.Pod, 0, len(list.Items))
	for i := range list.Items {
		pods = append(pods, &list.Items[i])
	}
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int {
		if d := rank(a) - rank(b); d != 0 {
			return d
		}
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	return pods, nil
}

// PodReady says whether a pod runs, passes its readiness gates and is not
// being deleted.
func PodReady(p *corev1.Pod) bool { return rank(p) == 0 }

// HasProxy says whether a pod has Istio's proxy, as a sidecar or as a gateway.
func HasProxy(p *corev1.Pod) bool {
	proxy := func(c corev1.Container) bool { return c.Name == "istio-proxy" }
	return slices.ContainsFunc(p.Spec.Containers, proxy) || slices.ContainsFunc(p.Spec.InitContainers, proxy)
}

func rank(p *corev1.Pod) int {
	if p.DeletionTimestamp != nil {
		return 2
	}
	if p.Status.Phase != corev1.PodRunning {
		return 3
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return 0
		}
	}
	return 1
}

// findNamedPod tries "pod.namespace" first: a pod's own name rarely has a dot.
func (c *Client) findNamedPod(ctx context.Context, arg, namespace string) (*corev1.Pod, error) {
	k, err := c.Kubernetes()
	if err != nil {
		return nil, err
	}
	name, ns := splitNamespace(arg, namespace)
	pod, err := k.CoreV1().Pods(ns).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && name != arg {
		if whole, wholeErr := k.CoreV1().Pods(namespace).Get(ctx, arg, metav1.GetOptions{}); wholeErr == nil {
			return whole, nil
		}
	}
	if apierrors.IsNotFound(err) {
		return nil, c.podNotFound(ctx, name, ns)
	}
	if err != nil {
		return nil, Explain(fmt.Sprintf("reading pod %s.%s", name, ns), err)
	}
	return pod, nil
}

// podNotFound looks for what was meant: the same name elsewhere, a workload of
// that name, a similar name. Its look-ups may fail: then it says less.
func (c *Client) podNotFound(ctx context.Context, name, namespace string) error {
	fail := func(next string) error {
		return hint.Unanswerablef(next, "there is no pod %q in namespace %q", name, namespace)
	}
	fallback := fmt.Sprintf("`kubectl get pods -n %s` shows what is there; another namespace is named with -n or as %s.NAMESPACE", namespace, name)
	k, err := c.Kubernetes()
	if err != nil {
		return fail(fallback)
	}
	all, err := k.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name})
	if err == nil {
		for _, p := range all.Items {
			if p.Name == name { // a fake API server may not filter
				return fail(fmt.Sprintf("it is in namespace %q: name it %s.%s", p.Namespace, name, p.Namespace))
			}
		}
	}
	here, err := k.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{Limit: 1000})
	if err != nil || len(here.Items) == 0 {
		return fail(fallback)
	}
	known := make([]string, 0, len(here.Items))
	for _, p := range here.Items {
		known = append(known, p.Name)
		if strings.HasPrefix(p.Name, name+"-") {
			return fail(fmt.Sprintf("did you mean pod %q, or the workload deploy/%s?", p.Name, name))
		}
	}
	if meant := hint.DidYouMean(name, known); meant != "" {
		return fail(meant)
	}
	return fail(fallback)
}

// splitNamespace splits "name.namespace" at its last dot.
func splitNamespace(arg, namespace string) (string, string) {
	if i := strings.LastIndexByte(arg, '.'); i > 0 && i < len(arg)-1 {
		return arg[:i], arg[i+1:]
	}
	return arg, namespace
}

func isPodKind(kind string) bool {
	switch strings.ToLower(kind) {
	case "pod", "pods", "po":
		return true
	}
	return false
}

func listingPods(namespace string) string {
	if namespace == "" {
		return "listing pods in all namespaces"
	}
	return "listing pods in namespace " + namespace
}

func orUnknown(s string) string {
	if s == "" {
		return "in an unknown state"
	}
	return s
}
