package diff

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// writeCanonical writes a normalised value: members and lists without order
// are sorted, secrets as they are. For comparing only.
func writeCanonical(b *bytes.Buffer, parent, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		b.WriteByte('{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strconv.Quote(key))
			b.WriteByte(':')
			writeCanonical(b, name, key, v[key])
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, item := range arranged(parent, name, v) {
			if i > 0 {
				b.WriteByte(',')
			}
			writeCanonical(b, parent, name, item)
		}
		b.WriteByte(']')
	case string:
		b.WriteString(strconv.Quote(v))
	case secret:
		b.WriteString("secret" + strconv.Quote(string(v)))
	case json.Number:
		b.WriteString(v.String())
	case bool:
		b.WriteString(strconv.FormatBool(v))
	default:
		b.WriteString("null")
	}
}

// sorted is a normalised value with all lists sorted that have no order.
func sorted(parent, name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = sorted(name, key, item)
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, item := range arranged(parent, name, v) {
			out = append(out, sorted(parent, name, item))
		}
		return out
	}
	return v
}
