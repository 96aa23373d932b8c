package install

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v2"
)

// splitDocuments cuts a YAML stream at its --- lines, and takes off the blank
// space around each document, as istioctl does: a block text that ends a
// document has no newline at its end.
func splitDocuments(s string) []string {
	var docs []string
	start := 0
	for i := 0; i < len(s); {
		end := strings.IndexByte(s[i:], '\n')
		next := len(s)
		if end >= 0 {
			next = i + end + 1
		}
		if line := s[i:next]; strings.HasPrefix(line, "---") && strings.TrimSpace(line[3:]) == "" {
			docs = append(docs, strings.TrimSpace(s[start:i]))
			start = next
		}
		i = next
	}
	return append(docs, strings.TrimSpace(s[start:]))
}

// decodeDocument decodes one YAML document to what unstructured objects hold:
// string keys, int64, float64. It gives what sigs.k8s.io/yaml gives, without
// the way through JSON. The map is nil when the document has no content.
func decodeDocument(doc []byte) (map[string]any, error) {
	var v any
	if err := yaml.Unmarshal(doc, &v); err != nil {
		return nil, err
	}
	switch v := normal(v).(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	default:
		return nil, fmt.Errorf("the document is %s, not a map", describe(v))
	}
}

// normal turns decoded YAML, or JSON, to the types of unstructured objects.
func normal(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			if s, ok := k.(string); ok {
				m[s] = normal(e)
			} else {
				m[fmt.Sprint(k)] = normal(e)
			}
		}
		return m
	case map[string]any:
		for k, e := range v {
			v[k] = normal(e)
		}
		return v
	case []any:
		for i, e := range v {
			v[i] = normal(e)
		}
		return v
	case int:
		return int64(v)
	case uint64:
		return float64(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<62 {
			return int64(v)
		}
	}
	return v
}

func formatNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func jsonReason(err error) string {
	s := strings.TrimPrefix(err.Error(), "json: ")
	s = strings.ReplaceAll(s, "kubernetesSettings.", "")
	return strings.ReplaceAll(s, "Go struct field ", "field ")
}
