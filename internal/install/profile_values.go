package install

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"helm.sh/helm/v4/pkg/chart/common"
)

// EffectiveValues are spec.values with everything that the charts of the
// enabled components add: their defaults, and what they keep for the profile,
// the platform and the compatibility version. They are what the templates read.
func EffectiveValues(s *Spec) (map[string]any, error) {
	comps, err := s.components()
	if err != nil {
		return nil, err
	}
	caps, err := capabilities(s.kubeVersion)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, c := range comps {
		values, err := c.effective(s, caps)
		if err != nil {
			return nil, hint.Usagef("", "reading the values of %s: %s", c.label, chartReason(err))
		}
		own := s.charts.defaults(c.dir)
		switch c.key {
		case "pilot":
			pilot := cloneMap(lookupMap(values, "pilot"))
			for _, k := range slices.Sorted(maps.Keys(own)) {
				if slices.Contains(discoveryTopLevel, k) {
					mergeInto(out, map[string]any{k: values[k]})
				} else {
					pilot[k] = values[k]
				}
			}
			mergeInto(out, map[string]any{"pilot": pilot})
		case "cni", "ztunnel":
			mine := map[string]any{}
			for k := range own {
				if k != "global" {
					mine[k] = values[k]
				}
			}
			mergeInto(out, map[string]any{c.key: mine})
		default:
			for k := range own {
				mergeInto(out, map[string]any{k: values[k]})
			}
		}
	}
	for k, v := range lookupMap(s.tree, "spec", "values") {
		if _, ok := out[k]; !ok {
			out[k] = clone(v)
		}
	}
	return out, nil
}

// valuesTemplate prints what the templates see. Its name makes it the last to
// run: the chart's own zzz_profile puts the values together before.
const valuesTemplate = "templates/000-values.yaml"

func (c *component) effective(s *Spec, caps *common.Capabilities) (map[string]any, error) {
	ch, err := s.charts.load(c.dir)
	if err != nil {
		return nil, err
	}
	ch.Templates = slices.DeleteFunc(ch.Templates, func(f *common.File) bool {
		return !strings.Contains(f.Name, "/zz") && !strings.HasSuffix(f.Name, ".tpl")
	})
	ch.Templates = append(ch.Templates, &common.File{Name: valuesTemplate, Data: []byte("{{ .Values | toJson }}")})
	files, _, err := c.runChart(s, ch, caps)
	if err != nil {
		return nil, err
	}
	for name, text := range files {
		if strings.HasSuffix(name, valuesTemplate) {
			var m map[string]any
			if err := json.Unmarshal([]byte(text), &m); err != nil {
				return nil, fmt.Errorf("decoding them: %w", err)
			}
			return m, nil
		}
	}
	return nil, fmt.Errorf("chart %s has no values", c.dir)
}
