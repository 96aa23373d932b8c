package agree

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
)

func decodeAll(raw []byte) ([]*unstructured.Unstructured, error) {
	docs := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(raw), 4096)
	var all []*unstructured.Unstructured
	for {
		var o unstructured.Unstructured
		if err := docs.Decode(&o.Object); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if len(o.Object) > 0 {
			all = append(all, &o)
		}
	}
}

func groupResource(crd *unstructured.Unstructured, group string) schema.GroupVersionResource {
	plural, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
	return schema.GroupVersionResource{Group: group, Resource: plural}
}

func (m *Mesh) apply(ctx context.Context, o *unstructured.Unstructured) error {
	gvk := o.GroupVersionKind()
	mapping, err := m.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return fmt.Errorf("applying %s %s: %w", gvk.Kind, o.GetName(), err)
	}
	var at dynamic.ResourceInterface = m.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == "namespace" {
		at = m.client.Resource(mapping.Resource).Namespace(o.GetNamespace())
	}
	if _, err := at.Create(ctx, o, metav1.CreateOptions{FieldValidation: "Strict"}); err != nil {
		return fmt.Errorf("applying %s %s: %w", gvk.Kind, o.GetName(), err)
	}
	return nil
}

// Apply makes the set's objects, then its pods, and waits until these are Ready.
func (m *Mesh) Apply(ctx context.Context, s *Set) error {
	if err := m.namespace(ctx, s.Name); err != nil {
		return err
	}
	for _, o := range s.Objects {
		o, err := m.keys.fill(o)
		if err != nil {
			return err
		}
		if o.GetNamespace() == "" {
			o.SetNamespace(s.Name)
		}
		if err := m.apply(ctx, o); err != nil {
			return err
		}
	}
	for _, w := range s.Workloads {
		if w.Account != "" {
			if err := m.account(ctx, s.Name, w.Account); err != nil {
				return err
			}
		}
		pod, err := w.pod()
		if err != nil {
			return err
		}
		if _, err := m.kube.CoreV1().Pods(s.Name).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	for _, w := range s.Workloads {
		if err := m.Bed.WaitPod(ctx, s.Name, w.Name); err != nil {
			return err
		}
	}
	return nil
}

// pod is as the injector would have made it, without what has no meaning here.
func (w Workload) pod() (*corev1.Pod, error) {
	labels := map[string]string{"sidecar.istio.io/inject": "false", "app": w.Name}
	for k, v := range w.Labels {
		labels[k] = v
	}
	if w.Mesh || w.Proxy != "" {
		labels["security.istio.io/tlsMode"] = "istio"
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: w.Name, Labels: labels}, Spec: corev1.PodSpec{ServiceAccountName: w.Account,
		Containers: []corev1.Container{{Name: "app", Image: "registry.k8s.io/echo:1"}}}}
	if w.Proxy == "" {
		return pod, nil
	}
	field := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	config, err := json.Marshal(map[string]any{"discoveryAddress": "istiod.istio-system.svc:15012", "concurrency": 1})
	if err != nil {
		return nil, err
	}
	env := []corev1.EnvVar{{Name: "POD_NAME", ValueFrom: field("metadata.name")}, {Name: "PROXY_CONFIG", Value: string(config)},
		{Name: "ISTIO_META_CLUSTER_ID", Value: "Kubernetes"}, {Name: "ISTIO_META_WORKLOAD_NAME", Value: w.Name},
		{Name: "ISTIO_META_MESH_ID", Value: "cluster.local"}, {Name: "TRUST_DOMAIN", Value: "cluster.local"}}
	if w.Proxy == "sidecar" {
		pod.Annotations = map[string]string{"sidecar.istio.io/status": `{"containers":["istio-proxy"],"revision":"default"}`}
		env = append(env, corev1.EnvVar{Name: "ISTIO_META_INTERCEPTION_MODE", Value: "REDIRECT"})
	} else {
		pod.Spec.Containers = nil
		env = append(env, corev1.EnvVar{Name: "ISTIO_META_UNPRIVILEGED_POD", Value: "true"})
	}
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "istio-proxy", Image: "docker.io/istio/proxyv2:" + istioVersion,
		Args: []string{"proxy", w.Proxy}, Env: env})
	return pod, nil
}
