package cmd

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/ztunnel"
)

// find is the ztunnel to ask, and the workload's pod that the question is about.
func (z *ztunnelFlags) find(ctx context.Context, client *kube.Client, args []string) (*corev1.Pod, ztunnel.Pod, error) {
	pods, about, err := z.targets(ctx, client, args)
	if err != nil {
		return nil, about, err
	}
	if z.one && len(pods) > 1 {
		return nil, about, hint.Usagef("name one with --node: "+strings.Join(nodesOf(pods), ", "), "this differs from node to node, and there are %d ztunnels", len(pods))
	}
	return pods[0], about, nil
}

// targets are the ztunnels that the flags and the argument name; all without any.
func (z *ztunnelFlags) targets(ctx context.Context, client *kube.Client, args []string) ([]*corev1.Pod, ztunnel.Pod, error) {
	var about ztunnel.Pod
	if len(args) == 0 {
		pods, err := client.Ztunnels(ctx, z.f.IstioNamespace())
		if err == nil && z.node != "" {
			pods, err = onNode(pods, z.node)
		}
		return pods, about, err
	}
	pods, err := z.named(ctx, client, args[0])
	if err != nil {
		return nil, about, err
	}
	if kube.IsZtunnel(pods[0]) {
		return pods, about, nil
	}
	pod := pods[0]
	about = ztunnel.Pod{Name: pod.Name, Namespace: pod.Namespace, UID: string(pod.UID), ServiceAccount: pod.Spec.ServiceAccountName}
	if about.ServiceAccount == "" {
		about.ServiceAccount = "default"
	}
	if !kube.InAmbient(pod) {
		z.f.IO.Warnf("pod %s.%s is not in ambient mode: its traffic does not pass the ztunnel", pod.Name, pod.Namespace)
	}
	all, err := client.Ztunnels(ctx, z.f.IstioNamespace())
	if err == nil {
		all, err = onNode(all, pod.Spec.NodeName)
	}
	return all, about, err
}

// named finds pods as people name them; ztunnels need no namespace.
func (z *ztunnelFlags) named(ctx context.Context, client *kube.Client, arg string) ([]*corev1.Pod, error) {
	namespace, err := z.f.Namespace()
	if err != nil {
		return nil, err
	}
	pods, err := client.FindPods(ctx, arg, namespace)
	if err != nil && z.f.GivenNamespace() == "" {
		if there, thereErr := client.FindPods(ctx, arg, z.f.IstioNamespace()); thereErr == nil && kube.IsZtunnel(there[0]) {
			return there, nil
		}
	}
	return pods, err
}

func onNode(ztunnels []*corev1.Pod, node string) ([]*corev1.Pod, error) {
	for _, p := range ztunnels {
		if p.Spec.NodeName == node {
			return []*corev1.Pod{p}, nil
		}
	}
	nodes := nodesOf(ztunnels)
	next := hint.DidYouMean(node, nodes)
	if next == "" {
		next = "nodes with a ztunnel: " + strings.Join(nodes, ", ")
	}
	return nil, hint.Unanswerablef(next, "there is no ztunnel on node %q", node)
}

// nodesOf are the nodes of pods, in order.
func nodesOf(pods []*corev1.Pod) []string {
	var nodes []string
	for _, p := range pods {
		nodes = append(nodes, p.Spec.NodeName)
	}
	slices.Sort(nodes)
	return nodes
}
