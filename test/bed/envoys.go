package bed

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Envoys asks for simulated pods with a real Envoy each.
type Envoys struct {
	Count int `json:"count"`
	// NACK of them take istiod's configuration as it is, with filters that upstream Envoy lacks, and reject it.
	NACK int `json:"nack"`
	// Namespace of the pods, "bed-envoy" when empty, made if need be.
	Namespace string `json:"namespace,omitempty"`
	// Discovery is the address of their istiod, such as istiod-canary.istio-system.svc:15012; empty means the first found.
	Discovery string `json:"discovery,omitempty"`
}

// StartEnvoys makes pods as the injector would, envoy-0, envoy-1 ..., behind a Service named echo, and returns their names
// when they are Ready. The first NACK ones reject their listeners. Pods that are there already stay.
func (b *Bed) StartEnvoys(ctx context.Context, e Envoys) ([]string, error) {
	if e.Count <= 0 || e.NACK < 0 || e.NACK > e.Count {
		return nil, fmt.Errorf("starting %d Envoys, %d rejecting: want at least one, and no more rejecting than in all", e.Count, e.NACK)
	}
	if b.opts.NoEnvoy || e.Count > b.opts.MaxEnvoys {
		return nil, fmt.Errorf("starting %d Envoys: this bed has at most %d; start it with more", e.Count, b.maxEnvoys())
	}
	e.Namespace = orDefault(e.Namespace, "bed-envoy")
	if e.Discovery == "" {
		found, err := b.runtime.discoveryAddress()
		if err != nil {
			return nil, fmt.Errorf("starting Envoys: %w", err)
		}
		e.Discovery = found
	}
	if err := b.envoyService(ctx, e.Namespace); err != nil {
		return nil, fmt.Errorf("starting Envoys: %w", err)
	}
	var names []string
	for i := range e.Count {
		pod, err := envoyPod(e, i)
		if err != nil {
			return nil, err
		}
		if _, err := b.client.CoreV1().Pods(e.Namespace).Create(ctx, pod, metav1.CreateOptions{}); ignoreExists(err) != nil {
			return nil, fmt.Errorf("starting Envoys: %w", err)
		}
		names = append(names, pod.Name)
	}
	for _, name := range names {
		if err := b.WaitPod(ctx, e.Namespace, name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (b *Bed) maxEnvoys() int {
	if b.opts.NoEnvoy {
		return 0
	}
	return b.opts.MaxEnvoys
}

func (b *Bed) envoyService(ctx context.Context, namespace string) error {
	if err := b.ensureNamespace(ctx, namespace); err != nil {
		return err
	}
	_, err := b.client.CoreV1().Services(namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "echo", Labels: map[string]string{"app": "echo"}},
		Spec: corev1.ServiceSpec{Selector: map[string]string{"app": "echo"}, Ports: []corev1.ServicePort{
			{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080)}}}}, metav1.CreateOptions{})
	if ignoreExists(err) != nil {
		return err
	}
	// A pod needs its namespace's account, which the controller manager makes in its own time.
	return poll(ctx, func(ctx context.Context) error {
		_, err := b.client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// envoyPod has what a reader of injected pods looks for: the container, its environment, the status annotation.
func envoyPod(e Envoys, i int) (*corev1.Pod, error) {
	config, err := json.Marshal(map[string]any{"discoveryAddress": e.Discovery, "concurrency": 1})
	if err != nil {
		return nil, err
	}
	annotations := map[string]string{"sidecar.istio.io/status": `{"initContainers":["istio-init"],"containers":["istio-proxy"],"revision":"default"}`}
	if i < e.NACK {
		annotations[unfilteredAnnotation] = "true"
	}
	field := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("envoy-%d", i), Annotations: annotations, Labels: map[string]string{
			"app": "echo", "version": "v1", "service.istio.io/canonical-name": "echo", "service.istio.io/canonical-revision": "v1",
			"security.istio.io/tlsMode": "istio", "sidecar.istio.io/inject": "false"}},
		Spec: corev1.PodSpec{Containers: []corev1.Container{
			{Name: "echo", Image: "registry.k8s.io/echo:1", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}}},
			{Name: proxyContainer, Image: "docker.io/istio/proxyv2:" + istioVersion, Args: []string{"proxy", "sidecar"},
				Ports: []corev1.ContainerPort{{Name: "http-envoy-prom", ContainerPort: 15090}},
				Env: []corev1.EnvVar{{Name: "POD_NAME", ValueFrom: field("metadata.name")}, {Name: "PROXY_CONFIG", Value: string(config)},
					{Name: "ISTIO_META_CLUSTER_ID", Value: "Kubernetes"}, {Name: "ISTIO_META_WORKLOAD_NAME", Value: "echo"},
					{Name: "ISTIO_META_APP_CONTAINERS", Value: "echo"}, {Name: "ISTIO_META_INTERCEPTION_MODE", Value: "REDIRECT"},
					{Name: "ISTIO_META_MESH_ID", Value: "cluster.local"}, {Name: "TRUST_DOMAIN", Value: "cluster.local"}}},
		}},
	}, nil
}

// WaitPod returns when the pod is Ready and, where it has a program, the program answers. Its error says what it waits for.
func (b *Bed) WaitPod(ctx context.Context, namespace, name string) error {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	return poll(ctx, func(ctx context.Context) error {
		pod, err := b.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("waiting for pod %s: %w", key, err)
		}
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return nil
			}
		}
		if run := b.runtime.get(key); run != nil {
			if err := run.lastError(); err != nil {
				return fmt.Errorf("waiting for pod %s: %w", key, err)
			}
		}
		return fmt.Errorf("waiting for pod %s: it is %s", key, pod.Status.Phase)
	})
}
