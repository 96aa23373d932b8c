package kube

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// mostEvents is how many events are read of a namespace.
const mostEvents = 500

// Events are the latest events of a namespace ("" is all), the oldest first.
// warnings leaves out what is normal.
func (c *Client) Events(ctx context.Context, namespace string, warnings bool) ([]corev1.Event, error) {
	k, err := c.Kubernetes()
	if err != nil {
		return nil, err
	}
	options := metav1.ListOptions{Limit: mostEvents}
	if warnings {
		options.FieldSelector = "type=" + corev1.EventTypeWarning
	}
	list, err := k.CoreV1().Events(namespace).List(ctx, options)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		where := "in all namespaces"
		if namespace != "" {
			where = "in namespace " + namespace
		}
		return nil, Explain("listing events "+where, err)
	}
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int {
		if d := a.LastTimestamp.Compare(b.LastTimestamp.Time); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return list.Items, nil
}

// Version is the version of the API server, "" when it does not say.
func (c *Client) Version() string {
	k, err := c.Kubernetes()
	if err != nil {
		return ""
	}
	info, err := k.Discovery().ServerVersion()
	if err != nil {
		return ""
	}
	return info.GitVersion
}
