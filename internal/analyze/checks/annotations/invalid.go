package annotations

import (
	"cmp"
	"strings"

	"istio.io/api/annotation"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Invalid finds annotations whose value Istio cannot use.
var Invalid = &analyze.Check{
	Code: "IST0125", Name: "invalid-annotation", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Service},
	Uses:  kinds(),
	Doc: analyze.Doc{
		What: "An annotation of Istio's has a value that Istio cannot read.",
		Why:  "For ports, address ranges, interfaces, resources and proxy.istio.io/config the injector then refuses the pod: the Deployment makes no new pods. For the others Istio takes its default and says nothing.",
		Fix:  "Correct the value. Lists are separated by commas; address ranges take no blanks.",
	},
	Run: func(p *analyze.Pass) {
		known := NewRegistry()
		rules := values()
		for c := range carriers(p) {
			injectLabel(p, c)
			for _, name := range c.istios() {
				rule := rules[name]
				a, _ := known.Annotation(name)
				if rule == nil || !c.counts(a) {
					continue
				}
				if problem, fix := rule(c.annotations[name]); problem != "" {
					_, word, _ := strings.Cut(name, "/")
					f := p.Report(c.at(name), "%s: %s", word, problem)
					if fix != "" {
						f.Suggest("%s", fix)
					}
				}
			}
		}
	},
}

// injectLabel reports a label that neither asks for a sidecar nor forbids one.
func injectLabel(p *analyze.Pass, c *carrier) {
	value, there := c.labels[mesh.InjectLabel]
	if !there || c.is != annotation.Pod || value == "" {
		return
	}
	if problem, fix := oneOf("true", "false")(value); problem != "" {
		p.Report(c.object.At("%s", c.label(mesh.InjectLabel)), "the label %s, so the namespace decides", problem).
			Suggest("%s", cmp.Or(fix, `write "true" or "false"`))
	}
}
