package revision

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Users is what is injected by a revision or a tag.
type Users struct {
	// Namespaces are those whose labels name it.
	Namespaces []string `json:"namespaces"`
	// Pods are how many pods have a proxy because of it: theirs, and those that
	// name it themselves.
	Pods int `json:"pods"`
}

// UsersOf is what the labels of namespaces and pods put into the hands of a
// revision or a tag. What asks for injection without naming one, as the label
// istio-injection=enabled does, is a user of "default".
func (s *State) UsersOf(name string) Users {
	users := Users{Namespaces: []string{}}
	labels := map[string]map[string]string{}
	for _, ns := range s.namespaces {
		labels[ns.GetName()] = ns.GetLabels()
		if wanted, _ := byNamespace(ns.GetLabels()); wanted == name {
			users.Namespaces = append(users.Namespaces, ns.GetName())
		}
	}
	slices.Sort(users.Namespaces)
	for _, pod := range s.pods {
		if hasProxy(pod) && injectedBy(labels[pod.GetNamespace()], pod.GetLabels()) == name {
			users.Pods++
		}
	}
	return users
}

// byNamespace is the revision or tag that a namespace's labels ask for, "" for
// none; settled is false when its pods may still ask for themselves.
func byNamespace(labels map[string]string) (wanted string, settled bool) {
	switch labels[mesh.InjectionLabel] {
	case "":
		rev := labels[mesh.RevisionLabel]
		return rev, rev != ""
	case "enabled":
		return Default, true
	}
	return "", true
}

// injectedBy is the revision or tag by which a pod with these labels is injected.
func injectedBy(namespace, pod map[string]string) string {
	if pod[mesh.InjectLabel] == "false" {
		return ""
	}
	if wanted, settled := byNamespace(namespace); settled {
		return wanted
	}
	if rev := pod[mesh.RevisionLabel]; rev != "" {
		return rev
	}
	if pod[mesh.InjectLabel] == "true" {
		return Default
	}
	return ""
}

func hasProxy(pod *unstructured.Unstructured) bool {
	for _, field := range []string{"containers", "initContainers"} {
		list, _, _ := unstructured.NestedSlice(pod.Object, "spec", field)
		for _, c := range list {
			if m, ok := c.(map[string]any); ok && m["name"] == mesh.ProxyContainer {
				return true
			}
		}
	}
	return false
}
