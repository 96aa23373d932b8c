package mesh

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	admission "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestClashes(t *testing.T) {
	t.Parallel()
	selector := func(text string) *metav1.LabelSelector {
		s, err := metav1.ParseToLabelSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	config := func(name, namespace, pod string) *admission.MutatingWebhookConfiguration {
		return &admission.MutatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Webhooks: []admission.MutatingWebhook{
				{Name: "x.example.com"}, // not Istio's: takes all, clashes with none
				{Name: "namespace.sidecar-injector.istio.io", NamespaceSelector: selector(namespace), ObjectSelector: selector(pod)},
			},
		}
	}
	enabled := config("a", "istio-injection=enabled", "sidecar.istio.io/inject notin (false)")
	for name, c := range map[string]struct {
		other *admission.MutatingWebhookConfiguration
		want  string
	}{
		"the same namespaces":   {config("b", "istio-injection in (enabled,on)", ""), "pods in namespaces labelled istio-injection=enabled"},
		"another label as well": {config("b", "istio-injection=enabled,team=red", "!istio.io/rev"), "pods in namespaces labelled istio-injection=enabled,team=red"},
		"pods that ask":         {config("b", "istio-injection=enabled", "sidecar.istio.io/inject=true"), "pods labelled sidecar.istio.io/inject=true in namespaces labelled istio-injection=enabled"},
		"all namespaces":        {config("b", "kubernetes.io/metadata.name notin (kube-system)", ""), "pods in namespaces labelled istio-injection=enabled"},
		"pods that do not want": {config("b", "istio-injection=enabled", "sidecar.istio.io/inject=false"), ""},
		"a revision":            {config("b", "istio.io/rev=canary,!istio-injection", ""), ""},
		"switched off":          {config("b", "istio.io/deactivated=never-match", "istio.io/deactivated=never-match"), ""},
	} {
		got := ""
		for _, clash := range Clashes([]*admission.MutatingWebhookConfiguration{c.other, enabled}) {
			if clash.First != "a" || clash.Second != "b" {
				t.Errorf("%s: %+v", name, clash)
			}
			got += clash.Where()
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
