package install

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// adjust is what we send for want, given what is live (nil when nothing is):
// without the fields that others look after. want itself stays as it is.
func adjust(want, live *unstructured.Unstructured, scaled map[string]bool) *unstructured.Unstructured {
	sent := want.DeepCopy()
	unstructured.RemoveNestedField(sent.Object, "status")
	unstructured.RemoveNestedField(sent.Object, "metadata", "creationTimestamp")
	if live != nil {
		yieldWebhooks(sent, live)
	}
	if scaled[scaleKey(sent.GetKind(), sent.GetNamespace(), sent.GetName())] {
		yieldReplicas(sent, live)
	}
	return sent
}

// yieldWebhooks leaves the fields to istiod that it writes into its own
// webhooks: the CA bundle, and the failure policy once it can answer. They stay
// in only where they are still noted as ours.
func yieldWebhooks(sent, live *unstructured.Unstructured) {
	if !isWebhook(sent) {
		return
	}
	hooks, _, _ := unstructured.NestedSlice(sent.Object, "webhooks")
	liveHooks, _, _ := unstructured.NestedSlice(live.Object, "webhooks")
	ours, _ := ownedFields(live)["f:webhooks"].(map[string]any)
	for _, h := range hooks {
		hook, ok := h.(map[string]any)
		if !ok {
			continue
		}
		liveHook, _ := itemWith(liveHooks, map[string]any{"name": hook["name"]}).(map[string]any)
		owned, _ := ours[listKey("name", hook["name"])].(map[string]any)
		keepBundle(hook, liveHook, owned)
		yieldSelectors(hook, liveHook, owned)
		for _, path := range [][]string{{"failurePolicy"}, {"clientConfig", "caBundle"}} {
			if hasField(liveHook, path) && !ownsField(owned, path) {
				unstructured.RemoveNestedField(hook, path...)
			}
		}
	}
	if len(hooks) > 0 {
		sent.Object["webhooks"] = hooks
	}
}

// yieldReplicas leaves the number of replicas to an autoscaler. As long as the
// API server notes the field as ours it must stay, with the live value: giving
// it up would scale the workload to one.
func yieldReplicas(sent, live *unstructured.Unstructured) {
	if live != nil {
		spec, _ := ownedFields(live)["f:spec"].(map[string]any)
		if n, ok, _ := unstructured.NestedInt64(live.Object, "spec", "replicas"); ok && ownsField(spec, []string{"replicas"}) {
			_ = unstructured.SetNestedField(sent.Object, n, "spec", "replicas") // spec is a map: the chart made it one
			return
		}
	}
	unstructured.RemoveNestedField(sent.Object, "spec", "replicas")
}

// scaledBy is the set of workloads that autoscalers look after.
func scaledBy(objects []*unstructured.Unstructured) map[string]bool {
	scaled := map[string]bool{}
	for _, hpa := range objects {
		if hpa.GetKind() != "HorizontalPodAutoscaler" {
			continue
		}
		kind, _, _ := unstructured.NestedString(hpa.Object, "spec", "scaleTargetRef", "kind")
		name, _, _ := unstructured.NestedString(hpa.Object, "spec", "scaleTargetRef", "name")
		scaled[scaleKey(kind, hpa.GetNamespace(), name)] = true
	}
	return scaled
}

func scaleKey(kind, namespace, name string) string { return kind + "/" + namespace + "/" + name }

// listKey is the API server's notation for the item of a list with this key.
func listKey(key string, value any) string {
	v, _ := value.(string)
	return `k:{"` + key + `":"` + v + `"}`
}

func hasField(object map[string]any, path []string) bool {
	_, found, err := unstructured.NestedFieldNoCopy(object, path...)
	return found && err == nil
}

func ownsField(owned map[string]any, path []string) bool {
	noted := slices.Clone(path)
	for i := range noted {
		noted[i] = "f:" + noted[i]
	}
	return hasField(owned, noted)
}
