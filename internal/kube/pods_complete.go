package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// WorkloadKinds are the kinds of every day that [Client.FindPod] resolves, in
// the short form that people type.
func WorkloadKinds() []string { return []string{"deploy", "sts", "ds", "rs", "job", "svc", "gateway"} }

// WorkloadNames are the names of the objects of a kind in a namespace, pods
// included; for completion, so any failure gives none.
func (c *Client) WorkloadNames(ctx context.Context, kind, namespace string) []string {
	resource, known := workloadResource(kind)
	if isPodKind(kind) {
		resource, known = metav1.SchemeGroupVersion.WithResource("pods"), true
		resource.Group = ""
	}
	if !known {
		return nil
	}
	d, err := c.Dynamic()
	if err != nil {
		return nil
	}
	list, err := d.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 500})
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, list.Items[i].GetName())
	}
	return names
}
