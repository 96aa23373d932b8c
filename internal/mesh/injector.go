package mesh

import (
	"encoding/json"
	"strings"

	meshconfig "istio.io/api/mesh/v1alpha1"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// NeverInjected says of pod labels whether the injector's configuration
// excludes them (neverInjectSelector). It is read once; call the result often.
func (s *Snapshot) NeverInjected() func(podLabels map[string]string) bool {
	var values struct {
		SidecarInjectorWebhook struct {
			NeverInjectSelector []metav1.LabelSelector `json:"neverInjectSelector"`
		} `json:"sidecarInjectorWebhook"`
	}
	var never []labels.Selector
	s.touch(ConfigMap)
	if config := As[*core.ConfigMap](s.control("istio-sidecar-injector")); config != nil {
		if json.Unmarshal([]byte(config.Spec.Data["values"]), &values) == nil {
			for _, selector := range values.SidecarInjectorWebhook.NeverInjectSelector {
				if parsed, err := metav1.LabelSelectorAsSelector(&selector); err == nil && !parsed.Empty() {
					never = append(never, parsed)
				}
			}
		}
	}
	return func(podLabels map[string]string) bool {
		for _, selector := range never {
			if selector.Matches(labels.Set(podLabels)) {
				return true
			}
		}
		return false
	}
}

// Injector is the webhook that the API server asks about new pods with these
// labels in a namespace; nil when it would ask none of Istio's.
func (s *Snapshot) Injector(namespace *Object, podLabels map[string]string) *Object {
	inNamespace := labels.Set{"kubernetes.io/metadata.name": namespace.Name}
	for k, v := range namespace.Labels {
		inNamespace[k] = v
	}
	for _, config := range s.MutatingWebhooks() {
		for _, hook := range config.Spec.Webhooks {
			if strings.HasSuffix(hook.Name, "sidecar-injector.istio.io") &&
				selects(hook.NamespaceSelector, inNamespace) && selects(hook.ObjectSelector, labels.Set(podLabels)) {
				return config.Object
			}
		}
	}
	return nil
}

func selects(selector *metav1.LabelSelector, set labels.Set) bool {
	if selector == nil {
		return true
	}
	parsed, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && parsed.Matches(set)
}

func labelSelector(selector *meshconfig.LabelSelector) *metav1.LabelSelector {
	converted := &metav1.LabelSelector{MatchLabels: selector.GetMatchLabels()}
	for _, e := range selector.GetMatchExpressions() {
		converted.MatchExpressions = append(converted.MatchExpressions, metav1.LabelSelectorRequirement{
			Key: e.GetKey(), Operator: metav1.LabelSelectorOperator(e.GetOperator()), Values: e.GetValues(),
		})
	}
	return converted
}
