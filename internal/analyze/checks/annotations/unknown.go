package annotations

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Unknown finds annotations in Istio's name that Istio does not know.
var Unknown = &analyze.Check{
	Code: "IST0108", Name: "unknown-annotation", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Service},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "An object or a pod template has an annotation under istio.io that Istio does not read.",
		Why:  "Istio ignores it without a word, so what it was to change stays as it is: ports that were to bypass the proxy do not, resources stay at their defaults. Mostly it is a typing error, a name that an older Istio had, or a label written as an annotation.",
		Fix:  "Correct the name, make it a label if it is one, or remove it. Istio lists its annotations at https://istio.io/latest/docs/reference/config/annotations/.",
	},
	Run: func(p *analyze.Pass) {
		known := NewRegistry()
		for c := range carriers(p) {
			for _, name := range c.istios() {
				if _, ok := known.Annotation(name); ok {
					continue
				}
				if known.IsLabel(name) {
					p.Report(c.key(name), "%s is a label: as an annotation it does nothing", name).
						Suggest("write %s: %q under labels", name, c.annotations[name])
					continue
				}
				f := p.Report(c.key(name), "Istio has no annotation %q", name)
				if injectLabel := hint.Sole(name, []string{"sidecar.istio.io/inject"}); injectLabel != "" {
					f.Suggest("write %s: %q under labels", injectLabel, c.annotations[name])
				} else if meant := nearest(known, name); meant != "" {
					f.Suggest("change it to %s", meant)
				} else {
					f.Suggest("remove it")
				}
			}
		}
	},
}

// nearest is the annotation that was probably meant; empty when none is near.
func nearest(known *Registry, name string) string {
	if same := known.SameWord(name); same != "" {
		return same
	}
	if best := hint.Closest(name, known.Names()); best != "" {
		return best
	}
	// The domain may be wrong as well as the word.
	_, word, _ := strings.Cut(name, "/")
	words := make([]string, 0, len(known.Names()))
	for _, other := range known.Names() {
		_, w, _ := strings.Cut(other, "/")
		words = append(words, w)
	}
	if best := hint.Closest(word, words); best != "" {
		return known.SameWord("/" + best)
	}
	return ""
}
