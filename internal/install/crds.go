package install

import (
	"reflect"
	"strconv"
	"strings"
	"sync"
	"text/template"

	"sigs.k8s.io/yaml"
)

// crdFile is where the base chart keeps all CRDs, nine tenths of an install.
const crdFile = "files/crd-all.gen.yaml"

// crdReader spares the CRDs the way through text. The base chart's template
// parses each of them twice and prints it again, for us to parse a third time.
// Its fromYaml is given a document that was parsed beforehand, in parallel, and
// its toYaml prints in place of a CRD a reference that resolve follows. What
// the template does with a CRD in between happens to the parsed document.
type crdReader struct {
	byText  map[string]func() map[string]any
	mu      sync.Mutex
	printed map[string]map[string]any
}

const crdReference = "meshctl.io/parsed-crd"

// newCRDReader starts to parse the CRDs.
func newCRDReader(file []byte) *crdReader {
	r := &crdReader{byText: map[string]func() map[string]any{}, printed: map[string]map[string]any{}}
	for text := range strings.SplitSeq(string(file), "\n---\n") {
		parse := sync.OnceValue(func() map[string]any {
			m, err := decodeDocument([]byte(text))
			if err != nil {
				return nil // the template's own fromYaml will say why
			}
			return m
		})
		r.byText[text] = parse
		go parse()
	}
	return r
}

// funcs are the template functions to use instead of the engine's own.
func (r *crdReader) funcs() template.FuncMap {
	return template.FuncMap{"fromYaml": r.fromYAML, "toYaml": r.toYAML}
}

func (r *crdReader) fromYAML(s string) map[string]any {
	if parse, ok := r.byText[s]; ok {
		if m := parse(); m != nil {
			return m
		}
	}
	m := map[string]any{}
	if err := yaml.Unmarshal([]byte(s), &m); err != nil {
		m["Error"] = err.Error()
	}
	return m
}

func (r *crdReader) toYAML(v any) string {
	if m, ok := v.(map[string]any); ok && m["kind"] == "CustomResourceDefinition" {
		id := strconv.FormatUint(uint64(reflect.ValueOf(m).Pointer()), 16)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.printed[id] = m
		return "{kind: " + crdReference + ", id: x" + id + "}"
	}
	data, err := yaml.Marshal(v)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(data), "\n")
}

// resolve is the CRD that m is the reference to, or m itself.
func (r *crdReader) resolve(m map[string]any) map[string]any {
	if m["kind"] != crdReference {
		return m
	}
	id, _ := m["id"].(string)
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.printed[strings.TrimPrefix(id, "x")]
}
