package install

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/output"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Image is a container image that an install needs.
type Image struct {
	// Image is what the nodes pull.
	Image string `json:"image"`
	// Source is where the image comes from when --registry changes that.
	Source string `json:"source,omitempty"`
	// UsedBy are the objects that run the image, and the templates by which
	// istiod puts it into pods.
	UsedBy []string `json:"usedBy"`
}

// ImageList is every image that an install needs, sorted.
type ImageList struct {
	Images []Image `json:"images"`
	// Unknown are images of injection templates that only a pod would tell.
	Unknown []string `json:"unknown"`
}

// Images lists the images of what was rendered: those of its workloads, and
// those that its injection templates put into pods.
func Images(m *Manifest) *ImageList {
	users := map[string]map[string]bool{}
	use := func(image, by string) {
		if image == "" || image == injectedImage {
			return
		}
		if users[image] == nil {
			users[image] = map[string]bool{}
		}
		users[image][by] = true
	}
	list := &ImageList{Images: []Image{}, Unknown: []string{}}
	for _, o := range m.Objects() {
		eachContainer(o.Object, func(c map[string]any) {
			image, _ := c["image"].(string)
			use(image, objectName(o))
		})
		if isInjector(o) {
			injector := readInjector(o, m)
			for _, t := range slices.Sorted(maps.Keys(injector.templates)) {
				images, unknown := injector.images(t)
				for _, image := range images {
					use(image, "pods by template "+t)
				}
				list.Unknown = append(list.Unknown, unknown...)
			}
		}
	}
	for _, image := range slices.Sorted(maps.Keys(users)) {
		list.Images = append(list.Images, Image{Image: image, UsedBy: slices.Sorted(maps.Keys(users[image]))})
	}
	return list
}

// From says where the images of the list come from: those of another list of
// the same install, to which r was not applied.
func (l *ImageList) From(sources *ImageList, r *Registry) {
	for _, s := range sources.Images {
		target, err := r.Image(s.Image)
		if err != nil {
			continue
		}
		if i := slices.IndexFunc(l.Images, func(i Image) bool { return i.Image == target }); i >= 0 {
			l.Images[i].Source = s.Image
		}
	}
}

// injectedImage is the image of a container that the injector fills in.
const injectedImage = "auto"

func objectName(o *unstructured.Unstructured) string {
	return o.GetKind() + " " + strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/")
}

// eachContainer visits the containers of all pods in an object, whatever its kind.
func eachContainer(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if k != "containers" && k != "initContainers" {
				eachContainer(e, visit)
				continue
			}
			list, _ := e.([]any)
			for _, c := range list {
				if m, ok := c.(map[string]any); ok {
					visit(m)
				}
			}
		}
	case []any:
		for _, e := range v {
			eachContainer(e, visit)
		}
	}
}

// DocumentKind is the kind of the list's JSON and YAML.
func (l *ImageList) DocumentKind() string { return "ImageList" }

// Tables has a line per image.
func (l *ImageList) Tables(bool) []output.Table {
	t := output.Table{Columns: []string{"IMAGE", "USED BY"}, Empty: "no image is needed"}
	mirrored := slices.ContainsFunc(l.Images, func(i Image) bool { return i.Source != "" })
	if mirrored {
		t.Columns = []string{"IMAGE", "FROM", "USED BY"}
	}
	for _, i := range l.Images {
		row := []string{i.Image}
		if mirrored {
			row = append(row, cmp.Or(i.Source, i.Image))
		}
		t.Rows = append(t.Rows, append(row, usedBy(i.UsedBy)))
	}
	return []output.Table{t}
}

// usedBy is who uses an image, the templates in one.
func usedBy(all []string) string {
	var parts, templates []string
	for _, u := range all {
		if t, ok := strings.CutPrefix(u, "pods by template "); ok {
			templates = append(templates, t)
		} else {
			parts = append(parts, u)
		}
	}
	if len(templates) > 0 {
		parts = append(parts, "pods by template "+strings.Join(templates, ", "))
	}
	return strings.Join(parts, "; ")
}
