package mesh

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	admission "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

const (
	// TagLabel is on the webhook and the Service of a revision tag, and names it.
	TagLabel = "istio.io/tag"
	// DeactivatedLabel is what the selectors of a switched-off injector ask for;
	// nothing has it.
	DeactivatedLabel = "istio.io/deactivated"
	// NeverMatch is the value of DeactivatedLabel.
	NeverMatch = "never-match"
)

// Clash is a pod that the injectors of two webhook configurations would both take.
type Clash struct {
	// First and Second are the names of the configurations, in order.
	First, Second string
	// Namespace and Pod are labels with which a pod is taken by both.
	Namespace, Pod map[string]string

	first, second string // with what they are for
}

// Text says which configurations clash, and over what.
func (c Clash) Text() string {
	return c.first + " and " + c.second + " both match " + c.Where()
}

// described is a configuration and what it is for.
func described(config *admission.MutatingWebhookConfiguration) string {
	rev := cmp.Or(config.Labels[RevisionLabel], "unknown")
	if tag := config.Labels[TagLabel]; tag != "" {
		return config.Name + " (tag " + tag + " of revision " + rev + ")"
	}
	return config.Name + " (revision " + rev + ")"
}

// Where says which pods both would take, such as
// "namespaces labelled istio-injection=enabled".
func (c Clash) Where() string {
	namespace, pod := labelText(c.Namespace), labelText(c.Pod)
	switch {
	case namespace == "" && pod == "":
		return "pods without labels in namespaces without labels"
	case pod == "":
		return "pods in namespaces labelled " + namespace
	case namespace == "":
		return "pods labelled " + pod + " in namespaces without labels"
	}
	return "pods labelled " + pod + " in namespaces labelled " + namespace
}

func labelText(set map[string]string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(set)) {
		all = append(all, k+"="+set[k])
	}
	return strings.Join(all, ",")
}

// IsInjectorHook says whether a webhook is one of Istio's injectors.
func IsInjectorHook(hook *admission.MutatingWebhook) bool {
	return strings.HasSuffix(hook.Name, "sidecar-injector.istio.io")
}

// IsDeactivated says whether a webhook was switched off by selectors that match nothing.
func IsDeactivated(hook *admission.MutatingWebhook) bool {
	for _, s := range []*metav1.LabelSelector{hook.NamespaceSelector, hook.ObjectSelector} {
		if s != nil && s.MatchLabels[DeactivatedLabel] == NeverMatch {
			return true
		}
	}
	return false
}

// Clashes are the pairs of configurations that have injectors for the same
// pods, one clash for each pair, by name.
func Clashes(configs []*admission.MutatingWebhookConfiguration) []Clash {
	sorted := slices.SortedFunc(slices.Values(configs), func(a, b *admission.MutatingWebhookConfiguration) int {
		return strings.Compare(a.Name, b.Name)
	})
	var all []Clash
	for i, first := range sorted {
		for _, second := range sorted[i+1:] {
			if c, ok := clash(first, second); ok {
				all = append(all, c)
			}
		}
	}
	return all
}

func clash(first, second *admission.MutatingWebhookConfiguration) (Clash, bool) {
	for i := range first.Webhooks {
		for j := range second.Webhooks {
			a, b := &first.Webhooks[i], &second.Webhooks[j]
			if !IsInjectorHook(a) || !IsInjectorHook(b) || IsDeactivated(a) || IsDeactivated(b) {
				continue
			}
			namespace, ok := matchingBoth(a.NamespaceSelector, b.NamespaceSelector)
			if !ok {
				continue
			}
			if pod, ok := matchingBoth(a.ObjectSelector, b.ObjectSelector); ok {
				return Clash{First: first.Name, Second: second.Name, Namespace: namespace, Pod: pod, first: described(first), second: described(second)}, true
			}
		}
	}
	return Clash{}, false
}

// matchingBoth finds labels that match two selectors; ok is false when there
// are none. Requirements on different keys do not touch each other, so each key
// is decided alone.
func matchingBoth(a, b *metav1.LabelSelector) (witness map[string]string, ok bool) {
	byKey := map[string]labels.Requirements{}
	for _, s := range []*metav1.LabelSelector{a, b} {
		if s == nil {
			continue
		}
		parsed, err := metav1.LabelSelectorAsSelector(s)
		if err != nil {
			return nil, false // the API server takes no such selector
		}
		requirements, _ := parsed.Requirements()
		for _, r := range requirements {
			byKey[r.Key()] = append(byKey[r.Key()], r)
		}
	}
	witness = map[string]string{}
	for key, requirements := range byKey {
		value, present, ok := satisfying(key, requirements)
		if !ok {
			return nil, false
		}
		if present {
			witness[key] = value
		}
	}
	return witness, true
}

// namespaceName is the label that every namespace has.
const namespaceName = "kubernetes.io/metadata.name"

// satisfying is how a label can meet all requirements on it: not being there,
// with one of the values they name, or with any other.
func satisfying(key string, requirements labels.Requirements) (value string, present, ok bool) {
	meets := func(set labels.Set) bool {
		return !slices.ContainsFunc(requirements, func(r labels.Requirement) bool { return !r.Matches(set) })
	}
	if key != namespaceName && meets(labels.Set{}) {
		return "", false, true
	}
	named := map[string]bool{}
	for _, r := range requirements {
		for v := range r.Values() {
			named[v] = true
		}
	}
	for _, v := range slices.Sorted(maps.Keys(named)) {
		if meets(labels.Set{key: v}) {
			return v, true, true
		}
	}
	other := "other"
	for named[other] {
		other += "-"
	}
	return other, key != namespaceName, meets(labels.Set{key: other})
}
