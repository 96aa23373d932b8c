package install

import (
	"slices"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
)

// TagInputs is the tag to render.
type TagInputs struct {
	// Tag is its name, Revision where it points; "default" is the revision
	// without a name.
	Tag, Revision string
	// Namespace is that of the control plane.
	Namespace string
	// WebhookName is the name of the injector's configuration; "" for Istio's.
	WebhookName string
	// AutoInject takes namespaces without any label, for the tag default.
	AutoInject bool
	// InjectionURL is where the revision's injector is, when it is not behind a
	// Service of the cluster, and CABundle, in base64, by what it is trusted.
	InjectionURL, CABundle string
	// ManifestsDir has the charts, "" for the embedded ones.
	ManifestsDir string
}

// RenderTag gives the objects of a tag, those that istioctl makes: the
// injector's configuration, a Service and, for the tag default, the webhook that
// validates objects without a revision.
func RenderTag(in TagInputs) ([]*unstructured.Unstructured, error) {
	inputs := Inputs{Revision: in.Revision, ManifestsDir: in.ManifestsDir, Guard: true}
	if in.Namespace != "" {
		inputs.Set = append(inputs.Set, "values.global.istioNamespace="+in.Namespace)
	}
	spec, err := Resolve(inputs)
	if err != nil {
		return nil, err
	}
	values := lookupMap(spec.tree, "spec", "values")
	put(values, []any{in.Tag}, "revisionTags")
	put(values, in.AutoInject, "sidecarInjectorWebhook", "enableNamespacesByDefault")
	if in.InjectionURL != "" {
		put(values, in.InjectionURL, "istiodRemote", "injectionURL")
		if host, _, ok := strings.Cut(in.InjectionURL, "/inject"); ok {
			put(values, host+"/validate", "base", "validationURL")
		}
	}
	if in.Tag == DefaultRevision {
		spec.role = DefaultByTag
	}
	rendered, err := renderTagChart(spec)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, o := range rendered {
		if o.GetLabels()["istio.io/tag"] != in.Tag {
			continue // what the revision itself has
		}
		asPeer(o)
		if o.GetKind() == "MutatingWebhookConfiguration" && in.WebhookName != "" {
			o.SetName(in.WebhookName)
		}
		trust(o, in.CABundle)
		objects = append(objects, o)
	}
	if len(objects) == 0 {
		return nil, hint.Failf("the charts of Istio 1.31 have the templates revision-tags-mwc.yaml and revision-tags-svc.yaml",
			"rendering tag %s: the chart of the control plane brings no tags", in.Tag)
	}
	return objects, nil
}

// renderTagChart renders of the control plane's chart what a tag consists of,
// which is quicker than all of it.
func renderTagChart(s *Spec) ([]*unstructured.Unstructured, error) {
	caps, err := capabilities("")
	if err != nil {
		return nil, err
	}
	kind := componentTypes()[slices.IndexFunc(componentTypes(), func(t componentType) bool { return t.key == "pilot" })]
	c, err := newComponent(kind, "components.pilot", nil, s.Namespace)
	if err != nil {
		return nil, err
	}
	whole, err := s.charts.load(c.dir)
	if err != nil {
		return nil, err
	}
	objects, _, err := c.renderChart(s, tagTemplates(whole), caps)
	c.own(s, objects)
	return objects, err
}

func tagTemplates(whole *chart.Chart) *chart.Chart {
	part := *whole
	part.Templates = nil
	for _, t := range whole.Templates {
		for _, prefix := range []string{"_", "zz", "revision-tags", "validatingwebhook"} {
			if strings.HasPrefix(strings.TrimPrefix(t.Name, "templates/"), prefix) {
				part.Templates = append(part.Templates, t)
			}
		}
	}
	return &part
}

// asPeer makes an object of a tag what istioctl makes of it: it notes no owner,
// and selects istiod by its revision even where that is the one without a name.
func asPeer(o *unstructured.Unstructured) {
	labels := o.GetLabels()
	delete(labels, "install.operator.istio.io/owning-resource")
	o.SetLabels(labels)
	if o.GetKind() == "Service" {
		put(o.Object, map[string]any{"app": "istiod", LabelRevision: labels[LabelRevision]}, "spec", "selector")
	}
}

// trust puts the certificate authority of the revision into the webhooks, so
// that the API server can call them from the first moment; istiod keeps it up
// to date from then on.
func trust(o *unstructured.Unstructured, bundle string) {
	hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
	if bundle == "" || len(hooks) == 0 {
		return
	}
	for _, h := range hooks {
		if hook, ok := h.(map[string]any); ok {
			put(hook, bundle, "clientConfig", "caBundle")
		}
	}
	o.Object["webhooks"] = hooks
}
