package install

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/distribution/reference"
	"github.com/meshctl/meshctl/internal/hint"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Registry is a mirror that all images are pulled from. An image keeps its
// path, tag and digest there: with the mirror reg.example.com/mesh,
// docker.io/istio/pilot:1.31.1 becomes reg.example.com/mesh/istio/pilot:1.31.1.
type Registry struct{ prefix string }

// NewRegistry reads HOST[:PORT][/PATH]. The error is a Usage error.
func NewRegistry(s string) (*Registry, error) {
	const form = "write a host and maybe a path, as in registry.example.com/mesh"
	if strings.Contains(s, "://") {
		return nil, hint.Usagef(form, "reading --registry %s: an image has no scheme", s)
	}
	prefix := strings.TrimSuffix(s, "/")
	named, err := reference.ParseNormalizedNamed(prefix + "/x")
	switch {
	case err != nil:
		return nil, hint.Usagef(form, "reading --registry %s: it can't be the start of an image's name: %w", s, err)
	case !strings.HasPrefix(prefix+"/", reference.Domain(named)+"/"):
		return nil, hint.Usagef(form, "reading --registry %s: it names no host: one has a dot or a port", s)
	}
	return &Registry{prefix: prefix}, nil
}

// Image is the image as the mirror has it. One that is there already stays.
func (r *Registry) Image(image string) (string, error) {
	if image == injectedImage || strings.HasPrefix(image, r.prefix+"/") {
		return image, nil
	}
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", fmt.Errorf("image %q: %w", image, err)
	}
	return r.prefix + "/" + reference.Path(named) + strings.TrimPrefix(named.String(), named.Name()), nil
}

// hub is a registry and path, which images' names are appended to, as the mirror has it.
func (r *Registry) hub(hub string) string {
	const name = "/x"
	image, err := r.Image(hub + name)
	if err != nil {
		return hub // refused by then
	}
	return strings.TrimSuffix(image, name)
}

// values rewrites the hubs and whole images of spec.values and the components,
// so that what the charts make of them, istiod's injection among it, is right.
func (r *Registry) values(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, e := range v {
			text, ok := e.(string)
			switch {
			case !ok:
				r.values(e)
			case key == "hub" && text != "":
				v[key] = r.hub(text)
			case key == "image" && strings.Contains(text, "/"):
				if image, err := r.Image(text); err == nil {
					v[key] = image
				}
			}
		}
	case []any:
		for _, e := range v {
			r.values(e)
		}
	}
}

// Mirror rewrites the images that stand in what was rendered: of add-ons, of
// overlays, of injection templates.
func (m *Manifest) Mirror(r *Registry) error {
	for _, c := range m.Components {
		for _, o := range c.Objects {
			if err := r.object(o); err != nil {
				return hint.Usagef("", "rewriting the images of %s: %w", objectName(o), err)
			}
		}
	}
	return nil
}

func (r *Registry) object(o *unstructured.Unstructured) error {
	var failed error
	eachContainer(o.Object, func(c map[string]any) {
		image, ok := c["image"].(string)
		if !ok || image == "" {
			return
		}
		mirrored, err := r.Image(image)
		if err != nil {
			failed = err
			return
		}
		c["image"] = mirrored
	})
	if config := lookupString(o.Object, "data", "config"); failed == nil && isInjector(o) && config != "" {
		put(o.Object, r.template(config), "data", "config")
	}
	return failed
}

// template rewrites the images that injection templates name themselves.
func (r *Registry) template(text string) string {
	return literalImage.ReplaceAllStringFunc(text, func(line string) string {
		m := literalImage.FindStringSubmatch(line)
		image, err := r.Image(m[2])
		if err != nil {
			return line
		}
		return m[1] + image
	})
}

// literalImage is a line of a template whose image is none of its expressions.
var literalImage = regexp.MustCompile(`(?m)(^[ \t-]*image:[ \t]*["']?)([A-Za-z0-9][^\s"'{}]*)`)
