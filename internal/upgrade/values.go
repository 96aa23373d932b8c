package upgrade

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/meshctl/meshctl/internal/mesh"
	"sigs.k8s.io/yaml"
)

// valuesFile is which values of the charts are deprecated, and what replaces them.
//
//go:embed values.yaml
var valuesFile []byte

// deprecatedValue is one value of the charts.
type deprecatedValue struct {
	Path    string `json:"path"`
	Instead string `json:"instead"`
}

var deprecatedValueList = sync.OnceValues(func() ([]deprecatedValue, error) {
	var all []deprecatedValue
	err := yaml.UnmarshalStrict(valuesFile, &all)
	return all, err
})

// deprecatedValues finds deprecated values among those that the injector knows.
func (p *planner) deprecatedValues() error {
	all, err := deprecatedValueList()
	if err != nil {
		return fmt.Errorf("reading the deprecated values: %w", err)
	}
	if p.facts.valuesObject == nil {
		p.undecided("deprecated-values", p.valuesGap())
		return nil
	}
	f := &Finding{
		ID: "deprecated-values", Severity: Note, Title: "deprecated values of the charts are set", What: "They do nothing any more, or will go away.",
		Todo: "Leave them out of the values and IstioOperator files that you install with.",
	}
	for _, v := range all {
		var value any = p.facts.values
		for _, step := range strings.Split(v.Path, ".") {
			m, _ := value.(map[string]any)
			value = m[step]
		}
		if !empty(value) {
			f.Hits = append(f.Hits, hit(p.facts.valuesObject.At("data.values"), "%s: %s", v.Path, v.Instead))
		}
	}
	if len(f.Hits) > 0 {
		p.add(f)
	}
	return nil
}

// valuesGap is why the values are not known.
func (p *planner) valuesGap() gap {
	if g := p.facts.missing(mesh.ConfigMap); !g.empty() {
		return g
	}
	return because("there is no ConfigMap istio-sidecar-injector of the control plane, which holds the values")
}
