package schema

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	meshconfig "istio.io/api/mesh/v1alpha1"
	istiomesh "istio.io/istio/pkg/config/mesh"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// InvalidMeshConfig finds mesh configs that istiod does not read, or not as
// they are meant.
var InvalidMeshConfig = &analyze.Check{
	Code: "IST0106", Name: "invalid-mesh-config", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.ConfigMap},
	Doc: analyze.Doc{
		What: "The mesh config or meshNetworks, in the control plane's ConfigMap or an IstioOperator, cannot be read, has a value that istiod refuses, or a field that does not exist.",
		Why:  "istiod passes over a mesh config that it cannot read or refuses, and says so only in its log: it goes on with the last one, and after a restart with its defaults, without root namespace, providers and trust domain. A field that does not exist is dropped, and what it should have set keeps its default.",
		Fix:  "Correct the text. The reference is at https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/.",
	},
	Run: func(p *analyze.Pass) {
		quiet()
		for _, o := range p.Objects(mesh.ConfigMap) {
			if o.Namespace != p.IstioNamespace() || o.Name != "istio" && !strings.HasPrefix(o.Name, "istio-") {
				continue
			}
			data := mesh.As[*core.ConfigMap](o).Spec.Data
			for _, t := range []meshText{meshConfigText, networksText} {
				if text, found := data[t.key]; found {
					t.judge(p, o, "data."+t.key, text)
				}
			}
		}
		for _, o := range p.All() {
			if o.Kind.Group == "install.istio.io" && o.Kind.Kind == "IstioOperator" {
				judgeOperator(p, o)
			}
		}
	},
}

// meshText is one of the texts in the control plane's ConfigMap.
type meshText struct {
	key, name string
	message   func() proto.Message
	// read is what istiod does with the text.
	read func(text string) error
}

var (
	meshConfigText = meshText{
		"mesh", "the mesh config",
		func() proto.Message { return &meshconfig.MeshConfig{} },
		func(text string) error { _, err := istiomesh.ApplyMeshConfigDefaults(text); return err },
	}
	networksText = meshText{
		"meshNetworks", "meshNetworks",
		func() proto.Message { return &meshconfig.MeshNetworks{} },
		func(text string) error { _, err := istiomesh.ParseMeshNetworks(text); return err },
	}
)

// The fields of an IstioOperator and of its components, those of older versions included.
var (
	operatorFields = []string{
		"addonComponents", "compatibilityVersion", "components", "hub", "installPackagePath", "meshConfig", "namespace", "profile",
		"resourceSuffix", "revision", "tag", "unvalidatedValues", "values",
	}
	operatorComponents = []string{"base", "cni", "egressGateways", "ingressGateways", "istiodRemote", "pilot", "ztunnel"}
)

// judgeOperator judges an IstioOperator: its outer fields, and its mesh config,
// which is no text in a text. Its values belong to the charts.
func judgeOperator(p *analyze.Pass, o *mesh.Object) {
	unknownNames(p, o, "spec", o.Field("spec"), operatorFields)
	unknownNames(p, o, "spec.components", o.Field("spec", "components"), operatorComponents)
	for _, path := range [][]string{{"spec", "meshConfig"}, {"spec", "values", "meshConfig"}} {
		if config := o.Field(path...); config != nil {
			if text, err := yaml.Marshal(config); err == nil {
				meshConfigText.judge(p, o, strings.Join(path, "."), string(text))
			}
		}
	}
}

// unknownNames reports the fields of an object's level that are none of the known.
func unknownNames(p *analyze.Pass, o *mesh.Object, path string, value any, known []string) {
	fields, _ := value.(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if slices.Contains(known, name) {
			continue
		}
		f := p.Report(o.AtKey("%s", mesh.ParsePath(path).Join(name)), "unknown field %q, which the installer refuses", name)
		if best := hint.Closest(name, known); best != "" {
			f.Suggest("change it to %q", best)
		}
	}
}

// judge reports what is wrong with a text that stands in the field at path.
func (t meshText) judge(p *analyze.Pass, o *mesh.Object, path, text string) {
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		at := path
		if line := yamlLine.FindStringSubmatch(err.Error()); line != nil {
			at += "[line " + line[1] + "]"
		}
		p.Report(o.At("%s", at), "%s cannot be read: %s", t.name, yamlReason(err)).
			Suggest("correct the YAML: until then istiod goes on with what it had, and after a restart with its defaults")
		return
	}
	if value == nil {
		return
	}
	refused := t.read(text)
	told := false
	for _, problem := range mesh.MessageProblems(mesh.ParsePath(path), value, t.message()) {
		// What istiod reads all the same is no defect, such as a number in quotes.
		if problem.Unknown || problem.Value != "" || refused != nil {
			told = told || !problem.Unknown
			t.tell(p, o, problem, refused != nil && !problem.Unknown)
		}
	}
	if refused != nil && !told {
		p.Report(o.At("%s", placeOf(value, path, refused)), "istiod refuses %s: %s", t.name, oneLine(refused)).
			Suggest("correct the value: until then istiod goes on with what it had, and after a restart with its defaults")
	}
}

// tell reports a field that does not exist, or a value that cannot be read.
func (t meshText) tell(p *analyze.Pass, o *mesh.Object, problem mesh.Problem, refused bool) {
	at := o.At("%s", problem.Path)
	at.Key = problem.Unknown
	f := p.Report(at, "%s in %s, which istiod passes over", problem.Message, t.name)
	if refused {
		f.Message = t.name + " cannot be read: " + problem.Message
	} else {
		f.As(analyze.Warning)
	}
	switch best := hint.Closest(problem.Value, problem.Known); {
	case problem.Belongs != "":
		f.Suggest("move it to %s, where it is a field", problem.Belongs)
	case best != "":
		f.Suggest("change it to %q", best)
	case problem.Unknown:
		f.Suggest("remove it, or move it where it belongs")
	}
}

// placeOf is the field under path whose value an error names; path when there
// is none, or there are several.
func placeOf(value any, path string, err error) string {
	for _, word := range append(quoted(err.Error()), numbers.FindAllString(err.Error(), -1)...) {
		if paths := find(value, word, mesh.ParsePath(path)); len(paths) == 1 {
			return paths[0].String()
		}
	}
	return path
}

var numbers = regexp.MustCompile(`\d+`)

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlReason is a YAML parser's error without its prefixes.
func yamlReason(err error) string {
	text := oneLine(err)
	for _, prefix := range []string{"error converting YAML to JSON: ", "error unmarshaling JSON: ", "yaml: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
