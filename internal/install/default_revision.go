package install

import (
	"context"
	"fmt"
	"slices"

	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	admission "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	istio "github.com/meshctl/meshctl/internal/mesh"
)

// DefaultRevision is the revision of a control plane installed without one,
// and the tag of the one that injects namespaces labelled istio-injection=enabled.
const DefaultRevision = "default"

// DefaultRole is what an install does to be the default revision: the one that
// injects namespaces labelled istio-injection=enabled, and by which objects
// that name no revision are validated.
type DefaultRole int

const (
	// DefaultByInjector is the role of an install without a revision: its own
	// injector has the selectors. One with a revision is not the default.
	DefaultByInjector DefaultRole = iota
	// DefaultByTag brings the tag default, which points at this revision.
	DefaultByTag
	// DefaultElsewhere leaves the tag default to the revision that it points at.
	DefaultElsewhere
)

// Standing is what the injectors of a cluster say about the default revision.
type Standing struct {
	Role DefaultRole
	// Note says it to the user; "" when there is nothing to say.
	Note string
}

// Settle finds out from the injectors of the cluster what this install does
// about the default revision, before it is rendered: the first revision of a
// cluster becomes the default, and what `tag set default` decided stays.
func (s *Spec) Settle(ctx context.Context, c Reader) (Standing, error) {
	configs, err := injectors(ctx, c)
	if err != nil {
		return Standing{}, err
	}
	standing := settle(s.Revision, configs)
	s.role = standing.Role
	return standing, nil
}

func settle(revision string, configs []*admission.MutatingWebhookConfiguration) Standing {
	own, others, off := false, []string{}, false
	for _, config := range configs {
		rev := config.Labels[LabelRevision]
		if config.Labels[istio.TagLabel] == DefaultRevision {
			if rev == revision {
				return Standing{Role: DefaultByTag}
			}
			return Standing{Role: DefaultElsewhere, Note: fmt.Sprintf(
				"the default revision stays %s, at which the tag default points; `meshctl tag set default -r %s --overwrite` makes this one the default", rev, revision)}
		}
		switch {
		case config.Labels[istio.TagLabel] != "":
		case rev == revision:
			own, off = true, off || isOff(config)
		case !slices.Contains(others, rev):
			others = append(others, rev)
		}
	}
	switch {
	case revision == DefaultRevision && off:
		// Switched off for a tag that is gone: as the tag it is the default again
		// without taking back fields that are not ours.
		return Standing{Role: DefaultByTag}
	case revision == DefaultRevision:
		return Standing{}
	case len(others) > 0:
		return Standing{}
	case own:
		return Standing{Role: DefaultByTag}
	}
	return Standing{Role: DefaultByTag, Note: fmt.Sprintf(
		"revision %s is the first one here and becomes the default: it injects namespaces labelled istio-injection=enabled", revision)}
}

func isOff(config *admission.MutatingWebhookConfiguration) bool {
	for i := range config.Webhooks {
		if !istio.IsDeactivated(&config.Webhooks[i]) {
			return false
		}
	}
	return len(config.Webhooks) > 0
}

// injectors are the webhook configurations of all control planes and tags.
func injectors(ctx context.Context, c Reader) ([]*admission.MutatingWebhookConfiguration, error) {
	kind := schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "MutatingWebhookConfiguration"}
	list, err := c.List(ctx, kind, "", "")
	if err != nil {
		return nil, failure("reading", "the MutatingWebhookConfigurations", "list", err)
	}
	var configs []*admission.MutatingWebhookConfiguration
	for _, obj := range list {
		config, err := injector(obj)
		if err != nil {
			return nil, err
		}
		if config != nil {
			configs = append(configs, config)
		}
	}
	return configs, nil
}

// injector is obj as the configuration of an injector, nil when it is none.
func injector(obj *unstructured.Unstructured) (*admission.MutatingWebhookConfiguration, error) {
	if obj.GetKind() != "MutatingWebhookConfiguration" {
		return nil, nil
	}
	var config admission.MutatingWebhookConfiguration
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(obj.Object, &config); err != nil {
		return nil, fmt.Errorf("reading %s: %w", ident(obj), err)
	}
	for i := range config.Webhooks {
		if istio.IsInjectorHook(&config.Webhooks[i]) {
			return &config, nil
		}
	}
	return nil, nil
}

// tagDefault are the objects of the tag default, from the templates for tags:
// the values that the control plane is installed with do not name it.
func (s *Spec) tagDefault(c *component, whole *chart.Chart, caps *common.Capabilities, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	isTag := func(o *unstructured.Unstructured) bool { return o.GetLabels()[istio.TagLabel] == DefaultRevision }
	if c.key != "pilot" || s.role != DefaultByTag || slices.ContainsFunc(objects, func(o *unstructured.Unstructured) bool {
		return isTag(o) && o.GetKind() == "MutatingWebhookConfiguration"
	}) {
		return nil, nil
	}
	tagged := *s
	tagged.tree, tagged.role, tagged.guarded = s.Tree(), DefaultByInjector, false
	put(lookupMap(tagged.tree, "spec", "values"), []any{DefaultRevision}, "revisionTags")
	rendered, _, err := c.renderChart(&tagged, tagTemplates(whole), caps)
	if err != nil {
		return nil, err
	}
	rendered = slices.DeleteFunc(rendered, func(o *unstructured.Unstructured) bool { return !isTag(o) })
	for _, o := range rendered {
		asPeer(o)
	}
	return rendered, nil
}

// asDefault adds and changes what the role wants in the objects of the control
// plane: the webhook by which istiod validates objects that name no revision,
// nearly all of them; the un-revisioned injector, when it is not to inject.
func (s *Spec) asDefault(c *component, objects []*unstructured.Unstructured) []*unstructured.Unstructured {
	if c.key != "pilot" {
		return objects
	}
	if s.Revision == DefaultRevision && s.role != DefaultByInjector {
		for _, o := range objects {
			if o.GetKind() == "MutatingWebhookConfiguration" && o.GetLabels()[istio.TagLabel] == "" {
				deactivate(o)
			}
		}
	}
	if s.guarded && (s.role == DefaultByTag || s.role == DefaultByInjector && s.Revision == DefaultRevision) {
		for _, o := range slices.Clone(objects) {
			if v := defaultValidator(o); v != nil {
				objects = append(objects, v)
			}
		}
	}
	return objects
}

// KeepDefault leaves the default revision of the cluster as it is: in a manifest
// that was rendered at another time, it switches the un-revisioned injector off
// when the tag default points at another revision by now.
func (m *Manifest) KeepDefault(ctx context.Context, c Reader, revision string) error {
	if revision != DefaultRevision {
		return nil
	}
	configs, err := injectors(ctx, c)
	if err != nil || settle(revision, configs).Role == DefaultByInjector {
		return err
	}
	for i := range m.Components {
		for _, o := range m.Components[i].Objects {
			if config, err := injector(o); err == nil && config != nil && config.Labels[istio.TagLabel] == "" {
				deactivate(o)
			}
		}
	}
	return nil
}

// deactivate gives all webhooks selectors that match nothing, as istioctl does.
func deactivate(o *unstructured.Unstructured) {
	never := func() map[string]any {
		return map[string]any{"matchLabels": map[string]any{istio.DeactivatedLabel: istio.NeverMatch}}
	}
	hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
	for _, h := range hooks {
		if hook, ok := h.(map[string]any); ok {
			hook["namespaceSelector"], hook["objectSelector"] = never(), never()
		}
	}
	o.Object["webhooks"] = hooks
}

// defaultValidator makes of a revision's validating webhook the one for objects
// without a revision; nil for other objects.
func defaultValidator(o *unstructured.Unstructured) *unstructured.Unstructured {
	hooks, _, _ := unstructured.NestedSlice(o.Object, "webhooks")
	if o.GetKind() != "ValidatingWebhookConfiguration" || len(hooks) == 0 {
		return nil
	}
	v := o.DeepCopy()
	v.SetName("istiod-default-validator")
	labels := v.GetLabels()
	labels[istio.TagLabel] = DefaultRevision
	v.SetLabels(labels)
	hook, ok := hooks[0].(map[string]any)
	if !ok {
		return nil
	}
	hook["name"] = "validation.istio.io"
	hook["objectSelector"] = map[string]any{"matchExpressions": []any{
		map[string]any{"key": LabelRevision, "operator": "DoesNotExist"},
	}}
	v.Object["webhooks"] = []any{hook}
	return v
}
