package install

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/hint"
	"sigs.k8s.io/yaml"
)

// Inputs is what the user asked to install.
type Inputs struct {
	// Profile is the name of a profile or an alias; "" leaves it to Files and
	// Set, and else means default. It wins over both.
	Profile string
	// Files are IstioOperator documents, laid over the profile in order.
	Files []File
	// Set are path=value settings, laid over the files in order.
	Set []string
	// Revision is the control plane's revision; "" and "default" mean none.
	Revision string
	// ManifestsDir has charts/ and maybe profiles/ to use instead of the
	// embedded ones; "" for those.
	ManifestsDir string
	// Registry is the mirror that all images are pulled from, HOST[:PORT][/PATH];
	// "" for where each comes from.
	Registry string
	// Guard adds the webhook by which istiod validates objects without a
	// revision. The charts have it only when told, and istioctl adds it after an
	// install, so that it is in no generated manifest.
	Guard bool
	// KubeVersion is the version of the cluster that is installed into, as in
	// v1.34.1; "" when none was asked.
	KubeVersion string
}

// File is one input document and the name to call it by in messages.
type File struct {
	Name string
	Data []byte
}

// ReadFiles reads the documents named on a command line; "-" is stdin, and
// must come last. The errors are Usage errors.
func ReadFiles(names []string, stdin io.Reader) ([]File, error) {
	files := make([]File, 0, len(names))
	for i, name := range names {
		var data []byte
		var err error
		switch {
		case name != "-":
			data, err = os.ReadFile(name)
		case i < len(names)-1:
			return nil, hint.Usagef("put -f - at the end", "reading standard input: more files follow it")
		default:
			name = "standard input"
			data, err = io.ReadAll(stdin)
		}
		if err != nil {
			var pe *fs.PathError
			if errors.As(err, &pe) {
				err = pe.Err
			}
			return nil, hint.Usagef("check the path given with -f", "reading %s: %w", name, err)
		}
		files = append(files, File{Name: name, Data: data})
	}
	return files, nil
}

// parseFile decodes one IstioOperator document and checks every key of it.
func parseFile(f File, s *shape) (map[string]any, error) {
	const form = "an input file is one YAML document of kind IstioOperator; settings stand under spec"
	if n := countDocuments(f.Data); n > 1 {
		return nil, hint.Usagef("give each document a file of its own, and -f for each",
			"reading %s: it has %d documents, where one is wanted", f.Name, n)
	}
	var v any
	if err := yaml.UnmarshalStrict(f.Data, &v); err != nil {
		return nil, hint.Usagef(form, "reading %s: it is not valid YAML: %s", f.Name, yamlReason(err))
	}
	if v == nil {
		return map[string]any{}, nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, hint.Usagef(form, "reading %s: it holds %s, not a document", f.Name, describe(v))
	}
	if k, ok := m["kind"]; ok && k != "IstioOperator" {
		return nil, hint.Usagef(form, "reading %s: its kind is %v, where IstioOperator is wanted", f.Name, k)
	}
	if k, ok := m["apiVersion"].(string); ok && !strings.HasPrefix(k, "install.istio.io/") {
		return nil, hint.Usagef("", "reading %s: its apiVersion is %s, where install.istio.io/v1alpha1 is wanted", f.Name, k)
	}
	for k, v := range m {
		if v == nil {
			delete(m, k)
		}
	}
	src := source{name: f.Name, text: f.Data}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if _, ok := s.child(k); !ok {
			h := hint.DidYouMean(k, s.known())
			if h == "" {
				h = "settings stand under spec, those of the charts under spec.values"
			}
			return nil, hint.Usagef(h, "reading %s: unknown key %q", src.at(k), k)
		}
	}
	quoteIntegers(m)
	return m, s.check(src, "", m)
}

// quoteIntegers makes a text of a tag that was written as a whole number. A
// fraction is left for the check to refuse: 1.10 has been read as 1.1 by now.
func quoteIntegers(m map[string]any) {
	fix := func(m map[string]any) {
		if f, ok := m["tag"].(float64); ok && f == float64(int64(f)) {
			m["tag"] = formatNumber(f)
		}
	}
	spec := lookupMap(m, "spec")
	fix(spec)
	for _, key := range []string{"global", "pilot", "cni", "ztunnel"} {
		fix(lookupMap(spec, "values", key))
	}
	for _, c := range lookupMap(spec, "components") {
		switch c := c.(type) {
		case map[string]any:
			fix(c)
		case []any:
			for _, e := range c {
				if em, ok := e.(map[string]any); ok {
					fix(em)
				}
			}
		}
	}
}

func countDocuments(data []byte) int {
	n := 0
	for _, d := range splitDocuments(string(data)) {
		for line := range strings.Lines(d) {
			if l := strings.TrimSpace(line); l != "" && !strings.HasPrefix(l, "#") {
				n++
				break
			}
		}
	}
	return n
}

// yamlReason is a YAML error on one line, without the names of its makers.
func yamlReason(err error) string {
	s := err.Error()
	for _, p := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors:\n  "} {
		s = strings.TrimPrefix(s, p)
	}
	return strings.Join(strings.Fields(s), " ")
}
