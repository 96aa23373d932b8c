package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// SyncText is what an istiod says of its proxies, not read yet.
type SyncText struct {
	// Body is the answer on /debug/syncz; closing it closes the tunnel.
	Body io.ReadCloser
	// Version is istiod's own, commit included; "" when it does not say. Ask
	// for it after Body was read: unread data holds up the tunnel's other streams.
	Version func() string
	// Clock is istiod's time when it answered, to the second; zero when it does not say.
	Clock time.Time
}

// SyncText asks an istiod on its monitoring port, through the API server, for
// the sync state of its proxies, and for its version.
func (c *Client) SyncText(ctx context.Context, istiod Istiod) (*SyncText, error) {
	t, err := c.Tunnel(ctx, istiod.Namespace, istiod.Name)
	if err != nil {
		return nil, err
	}
	version := make(chan string, 1)
	go func() {
		text := ""
		if body, err := t.Get(ctx, istiod.Port, "/version"); err == nil {
			b, _ := io.ReadAll(io.LimitReader(body, 1024))
			text = strings.TrimSpace(string(b))
			_ = body.Close()
		}
		version <- text
	}()
	resp, err := t.response(ctx, http.MethodGet, "reading the sync state from istiod "+istiod.Name+"."+istiod.Namespace, istiod.Port, "/debug/syncz") //nolint:bodyclose // the caller closes it
	if err != nil {
		_ = t.Close()
		return nil, err
	}
	answer := &SyncText{Body: &tunnelBody{ReadCloser: resp.Body, tunnel: t}, Version: func() string { return <-version }}
	if clock, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		answer.Clock = clock
	}
	return answer, nil
}

// DebugRefused says whether an istiod is there but has no debug interface on
// its monitoring port, so that another way to ask it may work.
func DebugRefused(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Code == http.StatusNotFound || status.Code == http.StatusForbidden || status.Code == http.StatusUnauthorized
	}
	return PortRefused(err)
}

// PortRefused says whether an error is that nothing listens on a pod's port.
func PortRefused(err error) bool { return strings.Contains(err.Error(), "connection refused") }

// proxyStatus is what of a pod's status says how its proxy does.
func proxyStatus(status *corev1.PodStatus) *corev1.PodStatus {
	slim := &corev1.PodStatus{Phase: status.Phase, Reason: status.Reason, StartTime: status.StartTime, PodIP: status.PodIP}
	slim.ContainerStatuses = ofProxy(status.ContainerStatuses)
	slim.InitContainerStatuses = ofProxy(status.InitContainerStatuses)
	return slim
}

func ofProxy(all []corev1.ContainerStatus) []corev1.ContainerStatus {
	for _, s := range all {
		if s.Name == "istio-proxy" {
			return []corev1.ContainerStatus{{Name: s.Name, Ready: s.Ready, RestartCount: s.RestartCount, State: s.State, LastTerminationState: s.LastTerminationState}}
		}
	}
	return nil
}
