package bed

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func plainPod(name, image string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}}}
}

// TestModes breaks a second bed, beside the shared one, in each way but istiod-dead, and mends it.
func TestModes(t *testing.T) {
	t.Parallel()
	ctx := testContext(t)
	b, err := Start(t.Context(), Options{Nodes: 2, NoEnvoy: true, Break: []Mode{NodesNotReady}, Log: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)

	nodesNotReady(ctx, t, b)
	imagePull(ctx, t, b)
	quota(ctx, t, b)
	webhook(ctx, t, b)
	if left := b.Status().Broken; len(left) > 0 {
		t.Errorf("still broken: %v", left)
	}
	for _, m := range []Mode{"nonsense", "image-pull=("} {
		if err := b.Break(ctx, m); err == nil {
			t.Errorf("breaking by %q: want an error", m)
		}
	}
}

func nodesNotReady(ctx context.Context, t *testing.T, b *Bed) {
	t.Helper()
	if _, err := b.client.CoreV1().Pods("default").Create(ctx, plainPod("waits", "app:1"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	err := poll(ctx, func(ctx context.Context) error {
		pod, err := b.client.CoreV1().Pods("default").Get(ctx, "waits", metav1.GetOptions{})
		if err == nil && (len(pod.Status.Conditions) == 0 || pod.Status.Conditions[0].Reason != corev1.PodReasonUnschedulable) {
			err = fmt.Errorf("pod should be unschedulable: %+v", pod.Status)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if err := b.Mend(ctx, NodesNotReady); err != nil {
		t.Fatal(err)
	}
	if err := b.WaitPod(ctx, "default", "waits"); err != nil {
		t.Error("mended:", err)
	}
}

func imagePull(ctx context.Context, t *testing.T, b *Bed) {
	t.Helper()
	if err := b.Break(ctx, ImagePull+"=acme/"); err != nil {
		t.Fatal(err)
	}
	if err := addPod(ctx, b, "default", plainPod("good", "app:1")); err != nil {
		t.Error("another image:", err)
	}
	if _, err := b.client.CoreV1().Pods("default").Create(ctx, plainPod("bad", "docker.io/acme/app:1"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	err := poll(ctx, func(ctx context.Context) error {
		pod, err := b.client.CoreV1().Pods("default").Get(ctx, "bad", metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range pod.Status.ContainerStatuses {
			if w := c.State.Waiting; w != nil && w.Reason == "ImagePullBackOff" && strings.Contains(w.Message, "docker.io/acme/app:1") {
				return eventSays(ctx, b, "Failed to pull image")
			}
		}
		return fmt.Errorf("not ImagePullBackOff: %+v", pod.Status)
	})
	if err != nil {
		t.Error(err)
	}
	if err := b.Mend(ctx, ImagePull); err != nil {
		t.Fatal(err)
	}
	if err := b.WaitPod(ctx, "default", "bad"); err != nil {
		t.Error("mended:", err)
	}
}

func eventSays(ctx context.Context, b *Bed, text string) error {
	events, err := b.client.CoreV1().Events("default").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, e := range events.Items {
		if strings.Contains(e.Message, text) {
			return nil
		}
	}
	return fmt.Errorf("no event says %q", text)
}

func quota(ctx context.Context, t *testing.T, b *Bed) {
	t.Helper()
	refused(ctx, t, b, Quota, "exceeded quota: bed-no-pods")
}

func webhook(ctx context.Context, t *testing.T, b *Bed) {
	t.Helper()
	refused(ctx, t, b, Webhook+"=pods", refusal)
}

// refused breaks the bed, expects that no pod can be created in istio-system because of what, and mends it.
func refused(ctx context.Context, t *testing.T, b *Bed, m Mode, what string) {
	t.Helper()
	if err := b.envoyService(ctx, meshNamespace); err != nil {
		t.Fatal(err)
	}
	if err := b.Break(ctx, m); err != nil {
		t.Fatal(err)
	}
	create := func(ctx context.Context) error {
		_, err := b.client.CoreV1().Pods(meshNamespace).Create(ctx, plainPod("refused", "app:1"), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err
	}
	// Both take effect within moments: the API server has to see them first.
	err := poll(ctx, func(ctx context.Context) error {
		if err := create(ctx); err == nil || !strings.Contains(err.Error(), what) {
			return fmt.Errorf("%s: creating a pod should fail with %q: %w", m, what, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := b.Mend(ctx, m); err != nil {
		t.Fatal(err)
	}
	if err := poll(ctx, create); err != nil {
		t.Errorf("%s mended: %v", m, err)
	}
}
