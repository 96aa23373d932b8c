package webhook

import (
	"strings"

	admission "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// hook is one webhook of Istio's, of either kind of configuration.
type hook struct {
	config *mesh.Object
	index  int
	name   string
	client admission.WebhookClientConfig
	fails  bool   // what it watches is refused when it cannot be reached
	what   string // what it watches
	path   string // of an external control plane's URL
}

// at is a field of the webhook's clientConfig; empty for all of it.
func (h hook) at(field string) mesh.Location {
	path := mesh.Path{"webhooks", h.index, "clientConfig"}
	for _, step := range strings.FieldsFunc(field, func(r rune) bool { return r == '.' }) {
		path = path.Join(step)
	}
	return h.config.At("%s", path)
}

// hooks are the webhooks of Istio's injectors and validators that are not
// switched off.
func hooks(p *analyze.Pass) []hook {
	var all []hook
	add := func(config *mesh.Object, i int, name string, client admission.WebhookClientConfig, policy *admission.FailurePolicyType, what, path string) {
		if strings.HasSuffix(name, ".istio.io") || istios(config.Name) {
			all = append(all, hook{config, i, name, client, policy == nil || *policy == admission.Fail, what, path})
		}
	}
	for _, c := range p.MutatingWebhooks() {
		for i := range c.Spec.Webhooks {
			if w := &c.Spec.Webhooks[i]; !mesh.IsDeactivated(w) {
				add(c.Object, i, w.Name, w.ClientConfig, w.FailurePolicy, "pods", "inject")
			}
		}
	}
	for _, c := range p.ValidatingWebhooks() {
		for i, w := range c.Spec.Webhooks {
			if !neverMatches(w.NamespaceSelector) && !neverMatches(w.ObjectSelector) {
				add(c.Object, i, w.Name, w.ClientConfig, w.FailurePolicy, "Istio's objects", "validate")
			}
		}
	}
	return all
}

// istios says whether a configuration has a name that Istio's installers give.
func istios(name string) bool {
	return name == "istiod-default-validator" || strings.HasPrefix(name, "istio-validator") ||
		strings.HasPrefix(name, "istio-sidecar-injector") || strings.HasPrefix(name, "istio-revision-tag-")
}

func neverMatches(s *metav1.LabelSelector) bool {
	return s != nil && s.MatchLabels[mesh.DeactivatedLabel] == mesh.NeverMatch
}

// kinds are the two kinds of configurations.
func kinds() []mesh.Kind {
	return []mesh.Kind{mesh.MutatingWebhookConfiguration, mesh.ValidatingWebhookConfiguration}
}
