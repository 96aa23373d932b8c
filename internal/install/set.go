package install

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// setting is one path=value of --set.
type setting struct {
	raw   string
	path  []step
	value string
}

func (s setting) where() source { return source{name: "--set " + s.raw} }

// first is the first key of the path.
func (s setting) first() string { return s.path[0].key }

// parseSettings reads the --set flags. One flag may carry several settings
// with commas between: a comma starts a new one only before a key that spec
// has, so values may hold commas too; "\," is always part of the value.
func parseSettings(flags []string, s *shape) ([]setting, error) {
	var out []setting
	for _, flag := range flags {
		for _, raw := range splitSettings(flag, s.known()) {
			path, value, ok := strings.Cut(raw, "=")
			if !ok {
				return nil, hint.Usagef("write --set path=value, as in --set profile=demo", "reading --set %s: there is no =", raw)
			}
			steps, err := parsePath(strings.TrimPrefix(strings.TrimSpace(path), "spec."))
			if err != nil {
				return nil, hint.Usagef("a path is keys with dots between, as in components.ingressGateways[0].enabled",
					"reading --set %s: %w", raw, err)
			}
			if err := checkSettable(steps); err != nil {
				return nil, hint.Usagef("write [0] or [name:value]", "reading --set %s: %w", raw, err)
			}
			value = strings.ReplaceAll(strings.TrimSpace(value), `\,`, ",")
			out = append(out, setting{raw: raw, path: steps, value: value})
		}
	}
	return out, nil
}

// checkSettable refuses what only the paths of overlays may have: a list element
// chosen by its own text, of which settings have none to choose from.
func checkSettable(path []step) error {
	for _, st := range path {
		if st.text != "" && st.field == "" {
			return fmt.Errorf("%s is neither an index nor [key:value]", st)
		}
	}
	return nil
}

func splitSettings(flag string, keys []string) []string {
	var out []string
	start := 0
	for i := 1; i < len(flag); i++ {
		if flag[i] != ',' || flag[i-1] == '\\' {
			continue
		}
		rest := strings.TrimPrefix(flag[i+1:], "spec.")
		end := strings.IndexAny(rest, ".[=,")
		if end > 0 && rest[end] != ',' && slices.Contains(keys, rest[:end]) {
			out = append(out, flag[start:i])
			start = i + 1
		}
	}
	return append(out, flag[start:])
}

// apply sets the value in spec, typed as the schema says.
func (s setting) apply(spec map[string]any, sch *shape) error {
	end, err := sch.walk(s.where(), s.path)
	if err != nil {
		return err
	}
	v := end.parse(s.value)
	if err := end.check(s.where(), pathString(s.path), v); err != nil {
		return err
	}
	if _, err := setAt(spec, s.path, v); err != nil {
		return hint.Usagef("", "reading %s: %w", s.where().name, err)
	}
	return nil
}

func pathString(path []step) string {
	var b strings.Builder
	for i, st := range path {
		if i > 0 && !st.list {
			b.WriteByte('.')
		}
		b.WriteString(st.String())
	}
	return b.String()
}

// lastValue is what the settings give a key at the top of spec; "" if nothing.
func lastValue(set []setting, key string) string {
	v := ""
	for _, s := range set {
		if len(s.path) == 1 && s.first() == key {
			v = s.value
		}
	}
	return v
}
