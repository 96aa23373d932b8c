package install

import "maps"

// mergeInto lays src over dst: maps key by key, lists and scalars whole. src
// is left as it was, and shares nothing with dst afterwards.
func mergeInto(dst, src map[string]any) {
	for k, v := range src {
		if sm, ok := v.(map[string]any); ok {
			if dm, ok := dst[k].(map[string]any); ok {
				mergeInto(dm, sm)
				continue
			}
		}
		dst[k] = clone(v)
	}
}

// clone copies the maps and lists of a decoded document.
func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneMap(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = clone(e)
		}
		return out
	}
	return v
}

// cloneMap copies m; the copy is never nil.
func cloneMap(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	maps.Copy(out, m)
	for k, v := range out {
		out[k] = clone(v)
	}
	return out
}

// lookup is what stands at the keys below m; nil when anything on the way is missing.
func lookup(m map[string]any, keys ...string) any {
	var cur any = m
	for _, k := range keys {
		cm, ok := cur.(map[string]any)
		if !ok {
			return nil
		}
		cur = cm[k]
	}
	return cur
}

func lookupMap(m map[string]any, keys ...string) map[string]any {
	v, _ := lookup(m, keys...).(map[string]any)
	return v
}

func lookupString(m map[string]any, keys ...string) string {
	v, _ := lookup(m, keys...).(string)
	return v
}

func lookupBool(m map[string]any, keys ...string) bool {
	v, _ := lookup(m, keys...).(bool)
	return v
}

// put sets what stands at the keys below m, making maps (over scalars too) on the way.
func put(m map[string]any, value any, keys ...string) {
	for _, k := range keys[:len(keys)-1] {
		next, ok := m[k].(map[string]any)
		if !ok {
			next = map[string]any{}
			m[k] = next
		}
		m = next
	}
	m[keys[len(keys)-1]] = value
}
