package install

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// settingTarget is where a setting under components.*.k8s goes: the kind of the
// object ("" for the workload), and the field.
type settingTarget struct {
	kind string
	path []string
}

// mainContainer in a path stands for the component's main container.
const mainContainer = "<container>"

func settingTargets() map[string]settingTarget {
	pod := func(field string) settingTarget {
		return settingTarget{path: []string{"spec", "template", "spec", field}}
	}
	container := func(field string) settingTarget {
		return settingTarget{path: []string{"spec", "template", "spec", mainContainer, field}}
	}
	return map[string]settingTarget{
		"affinity": pod("affinity"), "nodeSelector": pod("nodeSelector"), "tolerations": pod("tolerations"),
		"priorityClassName": pod("priorityClassName"), "securityContext": pod("securityContext"),
		"env": container("env"), "imagePullPolicy": container("imagePullPolicy"),
		"readinessProbe": container("readinessProbe"), "resources": container("resources"),
		"replicaCount":        {path: []string{"spec", "replicas"}},
		"strategy":            {path: []string{"spec", "strategy"}},
		"podAnnotations":      {path: []string{"spec", "template", "metadata", "annotations"}},
		"hpaSpec":             {kind: "HorizontalPodAutoscaler", path: []string{"spec"}},
		"podDisruptionBudget": {kind: "PodDisruptionBudget", path: []string{"spec"}},
		"service":             {kind: "Service", path: []string{"spec"}},
		"serviceAnnotations":  {kind: "Service", path: []string{"metadata", "annotations"}},
	}
}

// patchTypes are the Go types that say how the lists of a kind are merged.
func patchType(kind string) any {
	switch kind {
	case "Deployment":
		return appsv1.Deployment{}
	case "DaemonSet":
		return appsv1.DaemonSet{}
	case "HorizontalPodAutoscaler":
		return autoscalingv2.HorizontalPodAutoscaler{}
	case "PodDisruptionBudget":
		return policyv1.PodDisruptionBudget{}
	}
	return corev1.Service{}
}

// postProcess lays the component's k8s settings and overlays over its objects.
// What changes nothing is a warning.
func (c *component) postProcess(s *Spec, objects []*unstructured.Unstructured) ([]string, error) {
	name := c.resourceName()
	if c.key == "pilot" && s.Revision != DefaultRevision {
		name += "-" + s.Revision
	}
	var warnings []string
	targets := settingTargets()
	for _, field := range slices.Sorted(maps.Keys(c.k8s)) {
		t, known := targets[field]
		if !known {
			continue // overlays; volumes, which are for values
		}
		if t.kind == "" {
			t.kind = c.kind
		}
		value := c.k8s[field]
		if field == "service" && c.gateway {
			// The ports went in as values: Kubernetes cannot merge a list of ports
			// that differ in protocol only.
			value = cloneMap(c.k8s["service"].(map[string]any))
			delete(value.(map[string]any), "ports")
		}
		found := false
		for _, o := range objects {
			if o.GetKind() != t.kind || o.GetName() != name {
				continue
			}
			found = true
			if err := c.mergeSetting(o, t, value); err != nil {
				return nil, fmt.Errorf("laying %s.k8s.%s over %s %s: %w", c.at, field, t.kind, name, err)
			}
		}
		if !found {
			warnings = append(warnings, fmt.Sprintf("%s.k8s.%s changes nothing: there is no %s %s", c.at, field, t.kind, name))
		}
		if found && field == "replicaCount" && slices.ContainsFunc(objects, isScalerOf(name)) {
			warnings = append(warnings, fmt.Sprintf("%s.k8s.replicaCount will be undone by the autoscaler; set values.%s.autoscaleEnabled=false",
				c.at, strings.Join(c.root, ".")))
		}
	}
	more, err := c.overlay(objects)
	return append(warnings, more...), err
}

func isScalerOf(name string) func(*unstructured.Unstructured) bool {
	return func(o *unstructured.Unstructured) bool {
		return o.GetKind() == "HorizontalPodAutoscaler" && o.GetName() == name
	}
}

// mergeSetting puts value at the target in the object, merging lists as
// `kubectl patch` does.
func (c *component) mergeSetting(o *unstructured.Unstructured, t settingTarget, value any) error {
	change := value
	for _, key := range slices.Backward(t.path) {
		if key == mainContainer { // merged by name into the list of containers
			m := change.(map[string]any)
			m["name"] = c.container
			change = map[string]any{"containers": []any{m}}
			continue
		}
		change = map[string]any{key: change}
	}
	before, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	with, err := json.Marshal(change)
	if err != nil {
		return err
	}
	after, err := strategicpatch.StrategicMergePatch(before, with, patchType(t.kind))
	if err != nil {
		return err
	}
	var m map[string]any
	if err := kjson.Unmarshal(after, &m); err != nil {
		return err
	}
	// A budget may have one of the two only; the charts give minAvailable.
	if t.kind == "PodDisruptionBudget" && lookup(m, "spec", "maxUnavailable") != nil {
		delete(lookupMap(m, "spec"), "minAvailable")
	}
	o.Object = m
	return nil
}
