package install

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
)

// Document is the IstioOperator document that the layers make: laid over the
// default profile with -f it renders the same. With full, spec.values also has
// everything that the charts set by default.
func (s *Spec) Document(full bool) (map[string]any, error) {
	doc := cloneMap(s.given)
	if !full {
		return doc, nil
	}
	values, err := EffectiveValues(s)
	if err != nil {
		return nil, err
	}
	put(doc, values, "spec", "values")
	return doc, nil
}

// HelmValues are the values that the charts are given.
func (s *Spec) HelmValues() map[string]any {
	return cloneMap(lookupMap(s.tree, "spec", "values"))
}

// At is what stands at a path of a document, under spec unless the path starts
// at the top. A path that can't be is a Usage error, one that is not set a
// failure.
func (s *Spec) At(doc map[string]any, path string) (any, error) {
	where := source{name: "--config-path " + path}
	steps, err := parsePath(path)
	if err != nil {
		return nil, hint.Usagef("a path is keys with dots between, as in components.pilot.k8s", "reading %s: %w", where.name, err)
	}
	if _, top := doc[steps[0].key]; !top || steps[0].key != "spec" && steps[0].key != "metadata" {
		steps = append([]step{{key: "spec"}}, steps...)
	}
	if _, err := s.schema.walk(where, steps); err != nil {
		return nil, err
	}
	var cur any = doc
	for i, st := range steps {
		var next any
		switch node := cur.(type) {
		case map[string]any:
			next = node[st.key]
		case []any:
			if at, err := st.find(node); err == nil && at < len(node) {
				next = node[at]
			}
		}
		if next == nil {
			return nil, hint.Failf("--full shows what the charts set by default", "reading %s: %s is not set", where.name, pathString(steps[:i+1]))
		}
		cur = next
	}
	return cur, nil
}

// Flags are the --set settings that make up the spec of a document, sorted.
// skipped are the paths of what no setting can say, an empty map or list or a
// null, unless the default profile says the same.
func (s *Spec) Flags(doc map[string]any) (flags, skipped []string) {
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				walk(strings.TrimPrefix(at+"."+strings.NewReplacer(".", `\.`, "[", `\[`).Replace(k), "."), v[k])
			}
			if len(v) == 0 {
				skipped = append(skipped, at)
			}
		case []any:
			for i, e := range v {
				walk(fmt.Sprintf("%s[%d]", at, i), e)
			}
			if len(v) == 0 {
				skipped = append(skipped, at)
			}
		case nil:
			skipped = append(skipped, at)
		case string:
			flags = append(flags, at+"="+strings.ReplaceAll(v, ",", `\,`))
		case float64:
			flags = append(flags, at+"="+formatNumber(v))
		default:
			flags = append(flags, fmt.Sprintf("%s=%v", at, v))
		}
	}
	spec := cloneMap(lookupMap(doc, "spec"))
	for _, key := range []string{"ingressGateways", "egressGateways"} {
		gateways, _ := lookup(spec, "components", key).([]any)
		for _, g := range gateways {
			// Said outright, since it is laid over a gateway of the profile's list.
			if m, ok := g.(map[string]any); ok && m["enabled"] == nil {
				m["enabled"] = true
			}
		}
	}
	walk("", spec)
	skipped = slices.DeleteFunc(skipped, func(at string) bool {
		steps, err := parsePath(at)
		return err == nil && reflect.DeepEqual(standing(s.ground["spec"], steps), standing(spec, steps))
	})
	return flags, skipped
}

// standing is what is at a path of keys, nil if nothing.
func standing(v any, path []step) any {
	for _, st := range path {
		node, _ := v.(map[string]any)
		v = node[st.key]
	}
	return v
}

// ShellQuote is a word as a shell reads it back.
func ShellQuote(word string) string {
	for _, c := range word {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,", c) {
			return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	if word == "" {
		return "''"
	}
	return word
}

// inline is a value in the form of JSON; a text as it is, unless it has lines.
func inline(v any) string {
	if s, ok := v.(string); ok {
		if strings.ContainsAny(s, "\n\t") || s == "" {
			return strconv.Quote(s)
		}
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(data)
}
