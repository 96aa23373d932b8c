package bed

import (
	"context"
	"fmt"
	"net"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// StandIn answers with h on a port of a pod that has no program, such as a ztunnel, until the pod is gone.
func (b *Bed) StandIn(ctx context.Context, namespace, name string, port int32, h http.Handler) error {
	pod, err := b.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("standing in for pod %s/%s: %w", namespace, name, err)
	}
	run, err := b.runtime.standInRun(pod)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", loopback(0))
	if err != nil {
		return fmt.Errorf("standing in for pod %s/%s: %w", namespace, name, err)
	}
	serve(run.ctx, l, h) //nolint:contextcheck // it outlives the call
	run.expose(port, toLoopback(l.Addr().(*net.TCPAddr).Port))
	return nil
}

// standInRun is the run of a pod without a program; it ends with the pod.
func (r *runtime) standInRun(pod *corev1.Pod) (*podRun, error) {
	key := types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name}
	r.mu.Lock()
	defer r.mu.Unlock()
	if run := r.runs[key]; run != nil {
		if run.uid != pod.UID || run.program != "stand-in" {
			return nil, fmt.Errorf("standing in for pod %s: it has a program", key)
		}
		return run, nil
	}
	ctx, cancel := context.WithCancel(r.bed.life)
	run := &podRun{bed: r.bed, key: key, uid: pod.UID, program: "stand-in", ctx: ctx, cancel: cancel, ports: map[int32]dialer{}}
	r.runs[key] = run
	return run, nil
}
