package install

import (
	"context"
	"reflect"
	"slices"

	admission "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
	istio "github.com/meshctl/meshctl/internal/mesh"
)

// clashes is the error when two injectors would take the same pods after the
// install. Two that do so already are none of its business.
func (p *Plan) clashes(ctx context.Context, c Reader) (clash, err error) {
	var planned []*unstructured.Unstructured
	pruned := map[string]bool{}
	for _, s := range p.Steps {
		switch {
		case s.Object.GetKind() != "MutatingWebhookConfiguration":
		case s.Action == Prune:
			pruned[s.Object.GetName()] = true
		default:
			planned = append(planned, withSelectors(s.Object, s.Live))
		}
	}
	if len(planned) == 0 {
		return nil, nil
	}
	live, err := injectors(ctx, c)
	if err != nil {
		return nil, err
	}
	live = slices.DeleteFunc(live, func(o *admission.MutatingWebhookConfiguration) bool { return pruned[o.Name] })
	return Overlap(live, planned), nil
}

// Overlap says whether two injectors would take the same pods once the planned
// configurations have replaced those of the same name.
func Overlap(live []*admission.MutatingWebhookConfiguration, planned []*unstructured.Unstructured) error {
	all := slices.Clone(live)
	ours := map[string]bool{}
	for _, obj := range planned {
		config, err := injector(obj)
		if err != nil {
			return err
		}
		if config == nil {
			continue
		}
		ours[config.Name] = true
		all = slices.DeleteFunc(all, func(o *admission.MutatingWebhookConfiguration) bool { return o.Name == config.Name })
		all = append(all, config)
	}
	before := istio.Clashes(live)
	for _, clash := range istio.Clashes(all) {
		known := slices.ContainsFunc(before, func(c istio.Clash) bool { return c.First == clash.First && c.Second == clash.Second })
		if (ours[clash.First] || ours[clash.Second]) && !known {
			return refuse(clash)
		}
	}
	return nil
}

func refuse(clash istio.Clash) error {
	return hint.Failf("give this control plane a revision of its own with --revision NAME, or remove the other with `meshctl uninstall --revision NAME` or `meshctl tag remove NAME`",
		"two injectors would take the same pods: %s", clash.Text())
}

// keepBundle leaves the CA bundle that `tag set` gave a webhook where it is:
// a webhook that fails without one would refuse pods until istiod brings it.
func keepBundle(hook, liveHook, owned map[string]any) {
	bundle := []string{"clientConfig", "caBundle"}
	value, _, _ := unstructured.NestedString(liveHook, bundle...)
	if value != "" && ownsField(owned, bundle) && !hasField(hook, bundle) {
		put(hook, value, bundle...)
	}
}

// yieldSelectors leaves the selectors of an injector that a tag has switched off
// to what switched it off; where they are still ours, they are sent.
func yieldSelectors(hook, liveHook, owned map[string]any) {
	for _, name := range selectorFields() {
		off := map[string]any{"matchLabels": map[string]any{istio.DeactivatedLabel: istio.NeverMatch}}
		if reflect.DeepEqual(hook[name], off) && reflect.DeepEqual(liveHook[name], off) && !ownsField(owned, []string{name}) {
			delete(hook, name)
		}
	}
}

func selectorFields() []string { return []string{"namespaceSelector", "objectSelector"} }

// withSelectors is what is sent with the selectors that it leaves to the live object.
func withSelectors(sent, live *unstructured.Unstructured) *unstructured.Unstructured {
	if live == nil {
		return sent
	}
	whole := sent.DeepCopy()
	hooks, _, _ := unstructured.NestedSlice(whole.Object, "webhooks")
	liveHooks, _, _ := unstructured.NestedSlice(live.Object, "webhooks")
	for _, h := range hooks {
		hook, ok := h.(map[string]any)
		if !ok {
			continue
		}
		liveHook, _ := itemWith(liveHooks, map[string]any{"name": hook["name"]}).(map[string]any)
		for _, name := range selectorFields() {
			if hook[name] == nil && liveHook[name] != nil {
				hook[name] = liveHook[name]
			}
		}
	}
	if len(hooks) > 0 {
		whole.Object["webhooks"] = hooks
	}
	return whole
}
