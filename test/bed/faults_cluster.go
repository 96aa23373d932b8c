package bed

import (
	"context"
	"slices"

	registration "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func oneGiB() *resource.Quantity { return resource.NewQuantity(1<<30, resource.BinarySI) }

// eachNode changes every node.
func (b *Bed) eachNode(ctx context.Context, change func(*corev1.Node)) error {
	nodes, err := b.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, n := range nodes.Items {
		err := retryConflict(func() error {
			node, err := b.client.CoreV1().Nodes().Get(ctx, n.Name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			change(node)
			_, err = b.client.CoreV1().Nodes().Update(ctx, node, metav1.UpdateOptions{})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// taint keeps the nodes for something else.
func (b *Bed) taint(ctx context.Context, broken bool) error {
	taint := corev1.Taint{Key: "dedicated", Value: "batch", Effect: corev1.TaintEffectNoSchedule}
	return b.eachNode(ctx, func(n *corev1.Node) {
		n.Spec.Taints = slices.DeleteFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == taint.Key })
		if broken {
			n.Spec.Taints = append(n.Spec.Taints, taint)
		}
	})
}

// relabel makes nodes of Windows, which no part of a mesh runs on.
func (b *Bed) relabel(ctx context.Context, broken bool) error {
	return b.eachNode(ctx, func(n *corev1.Node) {
		if n.Labels[corev1.LabelOSStable] = "linux"; broken {
			n.Labels[corev1.LabelOSStable] = "windows"
		}
	})
}

const orphan = "bed-orphan"

// breakWebhookServer leaves a webhook behind whose server was removed: nothing can create pods in the namespace.
func (b *Bed) breakWebhookServer(ctx context.Context, namespace string, broken bool) error {
	hooks := b.client.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	if !broken {
		return ignoreNotFound(hooks.Delete(ctx, orphan, metav1.DeleteOptions{}))
	}
	fail, none, path := registration.Fail, registration.SideEffectClassNone, "/validate"
	_, err := hooks.Create(ctx, &registration.ValidatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: orphan},
		Webhooks: []registration.ValidatingWebhook{{
			Name: "guard.bed.meshctl.io", FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			ClientConfig:      registration.WebhookClientConfig{Service: &registration.ServiceReference{Namespace: "guard", Name: "guard", Path: &path}, CABundle: b.creds.ca.pem},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": namespace}},
			Rules: []registration.RuleWithOperations{{Operations: []registration.OperationType{registration.Create},
				Rule: registration.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}}}},
		}}}, metav1.CreateOptions{})
	return ignoreExists(err)
}

// breakAPIServer stops the API server, or starts it again at the same address.
func (b *Bed) breakAPIServer(ctx context.Context, broken bool) error {
	b.mu.Lock()
	proc := b.apiserver
	b.mu.Unlock()
	if broken {
		proc.kill()
		return nil
	}
	if proc.running() {
		return nil
	}
	b.procs.forget(proc)
	return b.runAPIServer(ctx)
}
