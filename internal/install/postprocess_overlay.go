package install

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// overlay sets the single fields that components.*.k8s.overlays names. What is
// not there to be changed is a warning: with another release it may well be gone.
func (c *component) overlay(objects []*unstructured.Unstructured) ([]string, error) {
	var warnings []string
	for i, ov := range c.settings.Overlays {
		at := fmt.Sprintf("%s.k8s.overlays[%d]", c.at, i)
		found := false
		for _, o := range objects {
			if o.GetKind() != ov.Kind || o.GetName() != ov.Name {
				continue
			}
			found = true
			for j, p := range ov.Patches {
				missing, err := p.apply(o)
				if err != nil {
					return nil, hint.Usagef("a path is keys with dots between, as in spec.template.spec.containers.[name:discovery].args",
						"reading %s.patches[%d].path: %w", at, j, err)
				}
				if missing != nil {
					warnings = append(warnings, fmt.Sprintf("%s.patches[%d] changes nothing in %s %s: %s: %v", at, j, ov.Kind, ov.Name, p.Path, missing))
				}
			}
		}
		if !found {
			warnings = append(warnings, fmt.Sprintf("%s changes nothing: there is no %s %s", at, ov.Kind, ov.Name))
		}
	}
	return warnings, nil
}

// apply changes the object; missing says why it could not.
func (p patch) apply(o *unstructured.Unstructured) (missing, err error) {
	path, err := parsePath(p.Path)
	if err != nil {
		return nil, err
	}
	if p.Value == nil {
		_, missing = removeAt(o.Object, path)
		return missing, nil
	}
	value := clone(p.Value)
	if text, ok := value.(string); ok && !holdsText(o.GetKind(), path) {
		value = structured(text)
	}
	_, missing = setAt(o.Object, path, normal(value))
	return missing, nil
}

// structured is the map that a text holds in YAML, or the text itself. A value
// could only be a text once, so that many overlays have their maps quoted;
// istioctl reads them, but leaves JSON alone, and so do we.
func structured(text string) any {
	separator := ": "
	if strings.Contains(text, "\n") {
		separator = ":"
	}
	if !strings.Contains(text, separator) {
		return text
	}
	var m map[string]any
	if json.Unmarshal([]byte(text), &m) == nil || yaml.Unmarshal([]byte(text), &m) != nil || m == nil {
		return text
	}
	return m
}

// holdsText is whether Kubernetes takes nothing but a text at path, as in the
// data of a ConfigMap: what looks like YAML there is one all the same.
func holdsText(kind string, path []step) bool {
	if (kind == "ConfigMap" || kind == "Secret") && len(path) == 2 && (path[0].key == "data" || path[0].key == "stringData") {
		return true
	}
	if len(path) < 2 {
		return false
	}
	switch above := path[len(path)-2]; above.key {
	case "annotations", "labels", "matchLabels", "nodeSelector", "args", "command":
		return true
	}
	return path[len(path)-1].key == "value" // of an environment variable
}
