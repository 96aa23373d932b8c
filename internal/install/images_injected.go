package install

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// injection is what istiod injects by: a ConfigMap with templates, and values
// that these read.
type injection struct {
	templates map[string]string
	values    map[string]any
	// imageType is the kind of proxy image that the mesh config asks for.
	imageType string
}

const injectorName = "istio-sidecar-injector"

func isInjector(o *unstructured.Unstructured) bool {
	return o.GetKind() == "ConfigMap" && strings.HasPrefix(o.GetName(), injectorName)
}

// readInjector reads the injector's ConfigMap. What cannot be read is empty.
func readInjector(o *unstructured.Unstructured, m *Manifest) *injection {
	in := &injection{templates: map[string]string{}, values: map[string]any{}}
	_ = json.Unmarshal([]byte(lookupString(o.Object, "data", "values")), &in.values)
	var config struct {
		Templates map[string]string `json:"templates"`
	}
	if yaml.Unmarshal([]byte(lookupString(o.Object, "data", "config")), &config) == nil && config.Templates != nil {
		in.templates = config.Templates
	}
	meshName := "istio" + strings.TrimPrefix(o.GetName(), injectorName)
	for _, other := range m.Objects() {
		if other.GetKind() != "ConfigMap" || other.GetName() != meshName || other.GetNamespace() != o.GetNamespace() {
			continue
		}
		var mesh map[string]any
		if yaml.Unmarshal([]byte(lookupString(other.Object, "data", "mesh")), &mesh) == nil {
			in.imageType = lookupString(mesh, "defaultConfig", "image", "imageType")
		}
	}
	return in
}

// imageLine finds the images of a template's containers.
var imageLine = regexp.MustCompile(`(?m)^[ \t-]*image:[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s"'#]+)`)

// images are those that a template puts into pods; unknown are those that it
// takes from something other than the values. A pod's own choice is left out.
func (in *injection) images(name string) (images, unknown []string) {
	for _, m := range imageLine.FindAllStringSubmatch(in.templates[name], -1) {
		text := strings.Trim(m[1], `"'`)
		image := text
		switch {
		case !strings.Contains(text, "{{"):
		case strings.Contains(text, "annotation .ObjectMeta"):
			continue // the line before the one for pods that choose nothing
		case strings.Contains(text, ".ProxyImage"):
			image = in.image("proxy", "proxyv2", cmp.Or(in.imageType, in.variant()))
		case strings.Contains(text, ".ProxyInitImage"):
			image = in.image("proxy_init", "proxyv2", in.variant())
		case strings.Contains(text, ".AgentgatewayImage"):
			image = in.image("agentgateway", "agentgateway", cmp.Or(in.imageType, in.variant()))
		default:
			if image = in.evaluate(text); image == "" {
				unknown = append(unknown, "template "+name+": "+text)
				continue
			}
		}
		if image != injectedImage && !slices.Contains(images, image) {
			images = append(images, image)
		}
	}
	return images, unknown
}

func (in *injection) variant() string { return lookupString(in.values, "global", "variant") }

// image is what istiod makes of the values: global.<key>.image is a whole
// image, or the name of one below global.hub.
func (in *injection) image(key, name, imageType string) string {
	name = cmp.Or(lookupString(in.values, "global", key, "image"), name)
	if strings.Contains(name, "/") {
		return name
	}
	tag := lookupString(in.values, "global", "tag")
	if imageType != "" {
		tag = strings.TrimSuffix(strings.TrimSuffix(tag, "-distroless"), "-debug")
		if imageType != "default" {
			tag += "-" + imageType
		}
	}
	return lookupString(in.values, "global", "hub") + "/" + name + ":" + tag
}

// evaluate runs an expression of a template over the values alone; "" if it needs more.
func (in *injection) evaluate(text string) string {
	t, err := template.New("image").Option("missingkey=error").Parse(text)
	if err != nil {
		return ""
	}
	var b strings.Builder
	if t.Execute(&b, map[string]any{"Values": in.values}) != nil || strings.Contains(b.String(), "<no value>") {
		return ""
	}
	return b.String()
}
