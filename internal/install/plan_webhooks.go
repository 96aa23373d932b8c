package install

import (
	"context"
	"slices"

	admission "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/hint"
	istio "github.com/meshctl/meshctl/internal/mesh"
)

// checkInjectors refuses an install after which two injectors would take the
// same pods. Two that do so already are none of its business.
func checkInjectors(ctx context.Context, c Reader, m *Manifest) error {
	var planned []*unstructured.Unstructured
	for _, component := range m.Components {
		for _, obj := range component.Objects {
			if obj.GetKind() == "MutatingWebhookConfiguration" {
				planned = append(planned, obj)
			}
		}
	}
	if len(planned) == 0 {
		return nil
	}
	live, err := injectors(ctx, c)
	if err != nil {
		return err
	}
	return Overlap(live, planned)
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
