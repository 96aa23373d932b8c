package install

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The waves of an install, in order. A wave starts when the one before it is
// ready; within a wave everything happens at once.
const (
	waveDefinitions = iota // namespaces and CRDs of all components
	waveBase
	waveControl // istiod and CNI
	waveData    // gateways, ztunnel, add-ons
	waveCount
)

// The tiers of a wave: what the objects of the next tier need to work at all.
const (
	tierNamespaces = iota
	tierConfig     // accounts, permissions, configuration, services
	tierWorkloads
	tierWebhooks // last: a webhook without its server refuses what it should serve
	tierCount
)

// waveOf is the wave in which an object of a component is applied.
func waveOf(component string, obj *unstructured.Unstructured) int {
	switch obj.GetKind() {
	case "CustomResourceDefinition", "Namespace":
		return waveDefinitions
	}
	switch component {
	case "Base":
		return waveBase
	case "Pilot", "Cni":
		return waveControl
	}
	return waveData
}

// Title is what people call the component: istiod, cni, istio-ingressgateway, kiali.
func (c Component) Title() string {
	switch c.Name {
	case "Pilot":
		return "istiod"
	case "IngressGateways", "EgressGateways":
		return c.Instance
	}
	return strings.TrimPrefix(strings.ToLower(c.Name), addonPrefix)
}

// tierOf is the tier of an object within its wave.
func tierOf(obj *unstructured.Unstructured) int {
	switch gk := obj.GroupVersionKind().GroupKind(); {
	case gk.Kind == "Namespace":
		return tierNamespaces
	case isWebhook(obj):
		return tierWebhooks
	case isWorkload(obj), gk.Kind == "Pod", gk.Group == "batch":
		return tierWorkloads
	}
	return tierConfig
}

// isWebhook says whether an object can make the API server refuse others.
func isWebhook(obj *unstructured.Unstructured) bool {
	return obj.GroupVersionKind().Group == "admissionregistration.k8s.io"
}

// isWorkload says whether an object is a controller of pods that stay.
func isWorkload(obj *unstructured.Unstructured) bool {
	gvk := obj.GroupVersionKind()
	return gvk.Group == "apps" && slices.Contains([]string{"Deployment", "DaemonSet", "StatefulSet"}, gvk.Kind)
}
