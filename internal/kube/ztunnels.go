package kube

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/hint"
)

// Ztunnels are the ztunnel pods of a namespace, ready ones first. Where the
// namespace has none they are looked for in all: some platforms want node
// agents in a namespace of theirs. Finding none is an error.
func (c *Client) Ztunnels(ctx context.Context, namespace string) ([]*corev1.Pod, error) {
	pods, err := c.PodsBySelector(ctx, namespace, "app=ztunnel")
	if err != nil || len(pods) > 0 {
		return pods, err
	}
	if pods, err = c.PodsBySelector(ctx, "", "app=ztunnel"); err == nil && len(pods) > 0 {
		return pods, nil
	}
	return nil, hint.Unanswerablef("ambient mode is installed with `meshctl install --profile ambient`; another namespace is named with -i",
		"there is no ztunnel in namespace %q", namespace)
}

// IsZtunnel says whether a pod is a ztunnel.
func IsZtunnel(p *corev1.Pod) bool { return p.Labels["app"] == "ztunnel" }

// InAmbient says whether the traffic of a pod is redirected to its node's ztunnel.
func InAmbient(p *corev1.Pod) bool { return p.Annotations["ambient.istio.io/redirection"] == "enabled" }
