package install

import "maps"

// helmValues is what the component's chart gets as values. The result may
// share parts with the spec: the charts change their values, so they get a copy.
func (c *component) helmValues(s *Spec) map[string]any {
	values := cloneMap(lookupMap(s.tree, "spec", "values"))
	set := func(v any, keys ...string) {
		at := append(append([]string{}, c.root...), keys...)
		if !emptied(values, at[:len(at)-1]) {
			put(values, v, at...)
		}
	}
	if c.gateway {
		labels := c.labels
		if labels == nil {
			labels = map[string]any{} // the templates index into it
		}
		set(c.name, "name")
		set(clone(labels), "labels")
		if ports, ok := lookup(c.k8s, "service", "ports").([]any); ok && len(ports) > 0 {
			set(clone(ports), "ports")
		}
	}
	// Some settings of the workload decide what else a template makes, as a
	// disruption budget for more than one replica, so the chart must know them.
	if c.kind == "Deployment" {
		if h := c.settings.HPASpec; h != nil {
			if h.MinReplicas != nil {
				set(int64(*h.MinReplicas), "autoscaleMin")
			}
			if h.MaxReplicas > 0 {
				set(int64(h.MaxReplicas), "autoscaleMax")
			}
		}
		if r := c.settings.ReplicaCount; r != nil && *r > 0 {
			set(int64(*r), "replicaCount")
		}
	}
	if r := c.settings.Resources; r != nil {
		if cpu := r.Limits.Cpu(); !cpu.IsZero() {
			set(cpu.String(), "resources", "limits", "cpu")
		}
		if cpu := r.Requests.Cpu(); !cpu.IsZero() {
			set(cpu.String(), "resources", "requests", "cpu")
		}
	}
	if c.hub != "" {
		set(c.hub, "hub")
	}
	if c.tag != "" {
		set(c.tag, "tag")
	}
	if c.flatten {
		values = c.flattened(values)
	}
	return values
}

// emptied is whether null stands on the way: what the user took out stays out.
func emptied(m map[string]any, keys []string) bool {
	for _, k := range keys {
		v, given := m[k]
		if given && v == nil {
			return true
		}
		m, _ = v.(map[string]any)
	}
	return false
}

// flattened moves the component's own settings to the top of values, where its
// chart reads them; of the others only global and plain values stay.
func (c *component) flattened(values map[string]any) map[string]any {
	own := lookupMap(values, c.root...)
	if own == nil {
		return values
	}
	out := map[string]any{"global": values["global"]}
	for k, v := range values {
		if _, isMap := v.(map[string]any); !isMap {
			out[k] = v
		}
	}
	maps.Copy(out, own)
	return out
}
