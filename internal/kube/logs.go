package kube

import (
	"context"

	corev1 "k8s.io/api/core/v1"
)

// logBytes bounds what is read of a log, whatever the length of its lines.
const logBytes = 64 << 10

// Logs are the last lines of a container's log; previous means of the run
// before the present one. The error is that of the API server.
func (o *Objects) Logs(ctx context.Context, namespace, pod, container string, previous bool, lines int) (string, error) {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	client, err := o.client.Kubernetes()
	if err != nil {
		return "", err
	}
	tail, limit := int64(lines), int64(logBytes)
	text, err := client.CoreV1().Pods(namespace).GetLogs(pod, &corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: &tail, LimitBytes: &limit,
	}).DoRaw(ctx)
	return string(text), err
}
