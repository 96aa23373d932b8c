package envoyfilter

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// value is the raw value of a patch, and where it stands.
func (x patch) value() (mesh.Path, any) {
	raw, _ := x.filter.Field("spec", "configPatches").([]any)
	if x.index >= len(raw) {
		return nil, nil
	}
	item, _ := raw[x.index].(map[string]any)
	inner, _ := item["patch"].(map[string]any)
	return mesh.Path{"spec", "configPatches", x.index, "patch", "value"}, inner["value"]
}

// uses are what a patch's value uses of Envoy's API.
func (x patch) uses() []mesh.EnvoyUse {
	path, value := x.value()
	if value == nil {
		return nil
	}
	return mesh.EnvoyUses(path, value, envoyType(x.spec.GetApplyTo()))
}

// reportUse reports at what a value uses: the name of a field, or the type or
// enum value that stands there.
func (x patch) reportUse(p *analyze.Pass, use mesh.EnvoyUse, field bool, format string, args ...any) *analyze.Finding {
	at := x.filter.At("%s", use.Path)
	at.Key = field
	return p.Report(at, format, args...)
}
