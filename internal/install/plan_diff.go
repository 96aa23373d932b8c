package install

import (
	"fmt"
	"io"
	"strings"

	yaml "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/output"
)

// WriteDiff writes what the plan changes as unified diffs of YAML, an object
// after the other: what is live against what the API server would make of it,
// without what only it and controllers write. Values of Secrets are masked. A
// new CRD is one line, for it is a thousand.
func (p *Plan) WriteDiff(w io.Writer) error {
	for _, s := range p.Steps {
		text, err := s.diff()
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

func (s *Step) diff() (string, error) {
	name := ident(s.Object)
	switch s.Action {
	case Keep:
		return "", nil
	case Refused:
		var lines []string
		for _, c := range s.Conflicts {
			lines = append(lines, fmt.Sprintf("# conflict: %s: %s is owned by %s\n", name, orElse(c.Field, "all of it"), c.Owner))
		}
		return strings.Join(lines, ""), nil
	case Create:
		if s.Object.GetKind() == "CustomResourceDefinition" {
			return fmt.Sprintf("# create: %s\n", name), nil
		}
		return unified("/dev/null", "planned/"+name, nil, s.Object)
	case Prune:
		return unified("live/"+name, "/dev/null", s.Live, nil)
	case TakeOver:
		text, err := unified("live/"+name, "planned/"+name, s.Live, s.tried)
		return fmt.Sprintf("# take over from %s: %s\n%s", s.From, name, text), err
	}
	text, err := unified("live/"+name, "planned/"+name, s.Live, s.tried)
	if err == nil && text == "" {
		text = fmt.Sprintf("# own together with other managers: %s\n", name)
	}
	return text, err
}

// unified is the difference of two states, either may be nil.
func unified(from, to string, a, b *unstructured.Unstructured) (string, error) {
	x, y := presentable(a), presentable(b)
	dropBookkeeping(x, y)
	maskSecrets(x, y)
	left, err := yamlText(x)
	if err != nil {
		return "", err
	}
	right, err := yamlText(y)
	if err != nil {
		return "", err
	}
	return output.Diff(from, to, left, right), nil
}

func yamlText(object map[string]any) (string, error) {
	if object == nil {
		return "", nil
	}
	text, err := yaml.Marshal(object)
	if err != nil {
		return "", fmt.Errorf("writing an object as YAML: %w", err)
	}
	return string(text), nil
}
