package install

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestRenderTag(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in    TagInputs
		names []string
		hooks int
		text  []string // in the injector's configuration
	}{
		"a tag": {TagInputs{Tag: "prod", Revision: "canary"},
			[]string{"MutatingWebhookConfiguration istio-revision-tag-prod", "Service istio-system/istiod-revision-tag-prod"}, 2,
			[]string{`"istiod-canary"`, `"istio.io/rev":"canary"`, `"istio.io/tag":"prod"`, `"values":["prod"]`}},
		"of the revision without a name": {TagInputs{Tag: "prod", Revision: "default"},
			[]string{"MutatingWebhookConfiguration istio-revision-tag-prod", "Service istio-system/istiod-revision-tag-prod"}, 2,
			[]string{`"name":"istiod"`, `"istio.io/rev":"default"`}},
		"default": {TagInputs{Tag: "default", Revision: "canary", CABundle: "Y2E="},
			[]string{"MutatingWebhookConfiguration istio-revision-tag-default", "Service istio-system/istiod-revision-tag-default",
				"ValidatingWebhookConfiguration istiod-default-validator"}, 4,
			[]string{`"caBundle":"Y2E="`, `"istio-injection"`}},
		"all namespaces": {TagInputs{Tag: "default", Revision: "canary", AutoInject: true},
			[]string{"MutatingWebhookConfiguration istio-revision-tag-default", "Service istio-system/istiod-revision-tag-default",
				"ValidatingWebhookConfiguration istiod-default-validator"}, 5, []string{`"auto.sidecar-injector.istio.io"`}},
		"another namespace and name": {TagInputs{Tag: "prod", Revision: "canary", Namespace: "mesh", WebhookName: "mine"},
			[]string{"MutatingWebhookConfiguration mine", "Service mesh/istiod-revision-tag-prod"}, 2, []string{`"namespace":"mesh"`}},
		"an istiod elsewhere": {TagInputs{Tag: "prod", Revision: "canary", InjectionURL: "https://istiod.example.com/inject"},
			[]string{"MutatingWebhookConfiguration istio-revision-tag-prod", "Service istio-system/istiod-revision-tag-prod"}, 2,
			[]string{`"url":"https://istiod.example.com/inject"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects, err := RenderTag(c.in)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, o := range objects {
				names = append(names, ident(o))
				if l := o.GetLabels(); l[LabelManagedBy] != ManagedBy || l["istio.io/tag"] != c.in.Tag || l[LabelRevision] != c.in.Revision {
					t.Errorf("labels of %s: %v", ident(o), l)
				}
			}
			if diff := cmp.Diff(c.names, names); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			hooks, _, _ := unstructured.NestedSlice(objects[0].Object, "webhooks")
			text, err := objects[0].MarshalJSON()
			if err != nil || len(hooks) != c.hooks {
				t.Errorf("%d webhooks, want %d, %v", len(hooks), c.hooks, err)
			}
			for _, want := range c.text {
				if !strings.Contains(string(text), want) {
					t.Errorf("the injector lacks %s: %s", want, text)
				}
			}
		})
	}
}
