package kube

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/meshctl/meshctl/internal/mesh"
)

// render runs kustomize over the source's directory, from files alone: nothing
// is fetched, and no plugin, chart or program is run.
func (s *source) render(ctx context.Context) error {
	k := s.kustomization
	if k.refused != "" {
		s.skipped = append(s.skipped, SkippedFile{Path: k.file, Reason: k.refused, text: []byte{}})
		return nil
	}
	resources, err := runKustomize(k)
	s.documents = []*document{k.document(ctx, resources, err)}
	return nil
}

// runKustomize renders a kustomization; a panic of kustomize is an error.
func runKustomize(k *kustomization) (resources resmap.ResMap, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("kustomize failed inside: %v", r)
		}
	}()
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionNone
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	options.PluginConfig = types.DisabledPluginConfig()
	dir := realPath(k.dir)
	files := &originsFS{filesys.MakeFsOnDisk(), filepath.Join(dir, filepath.Base(k.file))}
	silently(func() { resources, err = krusty.MakeKustomizer(options).Run(files, dir) })
	return resources, err
}

// stderrLock is held while stderr is another.
var stderrLock sync.Mutex

// silently calls f, which has kustomize write to the process's stderr what it
// thinks of deprecated fields: it knows no other way, and that is not about the mesh.
// The command line has stderr from before, and talks on.
func silently(f func()) {
	stderrLock.Lock()
	defer stderrLock.Unlock()
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err == nil {
		defer func() { _ = nowhere.Close() }()
		before := os.Stderr //nolint:forbidigo // what is written there is the library's
		os.Stderr = nowhere //nolint:forbidigo // see above
		defer func() {
			os.Stderr = before //nolint:forbidigo // see above
		}()
	}
	f()
}

// originsFS is the file system, but the kustomization to render asks for the
// files that its objects came from.
type originsFS struct {
	filesys.FileSystem
	kustomization string
}

// ReadFile is the content of a file.
func (o *originsFS) ReadFile(path string) ([]byte, error) {
	text, err := o.FileSystem.ReadFile(path)
	if err != nil || filepath.Clean(path) != o.kustomization {
		return text, err
	}
	var root map[string]any
	if broken := yaml.Unmarshal(text, &root); broken != nil || root == nil {
		return text, err // kustomize says what is wrong with it
	}
	asked, _ := root["buildMetadata"].([]any)
	root["buildMetadata"] = append(asked, types.OriginAnnotations)
	return yaml.Marshal(root)
}

// document is what a kustomization rendered, or why it did not.
func (k *kustomization) document(ctx context.Context, resources resmap.ResMap, err error) *document {
	d := &document{path: k.file, line: 1, emptyList: true}
	if err != nil {
		d.broken = k.brokenFiles(ctx)
		if len(d.broken) == 0 {
			d.broken = []BrokenDocument{k.refusal(err)}
		}
		return d
	}
	parts := k.parts()
	for _, r := range resources.Resources() {
		origin, _ := r.GetOrigin()
		text, err := r.MarshalJSON()
		value, ok := decodeJSON(text)
		raw, isMap := value.(map[string]any)
		if err != nil || !ok || !isMap {
			d.fail(0, "kustomize rendered something that is no object")
			continue
		}
		withoutOrigin(raw)
		before := len(d.objects)
		d.take(raw, nil)
		for _, o := range d.objects[before:] {
			place := &rendered{kustomization: k.file, raw: raw, parts: parts.of(o), source: k.sourceOf(o, origin, parts)}
			o.Origin.Locator, o.Origin.Via = place, k.file
			if place.source != nil {
				o.Origin.File = place.source.Origin.File
			}
		}
	}
	d.skip = ""
	return d
}

// withoutOrigin removes the annotation that the kustomization was made to ask for.
func withoutOrigin(raw map[string]any) {
	metadata, _ := raw["metadata"].(map[string]any)
	annotations, _ := metadata["annotations"].(map[string]any)
	delete(annotations, "config.kubernetes.io/origin")
	if annotations != nil && len(annotations) == 0 {
		delete(metadata, "annotations")
	}
}

// partsOf are the objects and patches that stand in the files of a
// kustomization, by kind.
type partsOf map[mesh.Kind][]*mesh.Object

func (k *kustomization) parts() partsOf {
	parts := partsOf{}
	for real := range k.uses {
		text, err := os.ReadFile(real)
		if err != nil || !hasExtension(real) {
			continue
		}
		for _, d := range split(pathFrom(k.dir, real), text) {
			d.parse()
			for _, o := range d.objects {
				parts[o.Kind] = append(parts[o.Kind], o)
			}
		}
	}
	for _, list := range parts {
		slices.SortFunc(list, func(a, b *mesh.Object) int { return strings.Compare(a.Origin.File, b.Origin.File) })
	}
	return parts
}

// of are the parts that may have become an object: of its kind, and with a
// name that prefixes and suffixes turn into the object's.
func (p partsOf) of(o *mesh.Object) []*mesh.Object {
	longest := 0
	var found []*mesh.Object
	for _, part := range p[o.Kind] {
		if part.Name == "" || !strings.Contains(o.Name, part.Name) || len(part.Name) < longest {
			continue
		}
		if len(part.Name) > longest {
			found, longest = nil, len(part.Name)
		}
		found = append(found, part)
	}
	return found
}

// sourceOf is the object of a file that kustomize started from; nil when it
// was generated.
func (k *kustomization) sourceOf(o *mesh.Object, origin *resource.Origin, parts partsOf) *mesh.Object {
	if origin == nil || origin.Path == "" {
		return nil
	}
	file := realPath(filepath.Join(k.dir, origin.Path))
	for _, part := range parts.of(o) {
		if realPath(part.Origin.File) == file {
			return part
		}
	}
	return nil
}

// rendered finds the fields of an object that kustomize made.
type rendered struct {
	kustomization string
	raw           map[string]any
	// source is the object that it was made from, nil when it was generated.
	source *mesh.Object
	// parts are the source, and the patches of it.
	parts []*mesh.Object
}

// Locate is [rendered.Place] without the file.
func (r *rendered) Locate(path mesh.Path, key bool) (line, column int) {
	p := r.Place(path, key)
	return p.Line, p.Column
}

// Place is where a field stands: in the object's file when its value is the
// same there, else in the patch that says it, else in the kustomization.
func (r *rendered) Place(path mesh.Path, key bool) mesh.Position {
	want, there := fieldAt(r.raw, path)
	at := func(o *mesh.Object) mesh.Position {
		return mesh.Location{Object: o, Path: path.String(), Key: key}.Position()
	}
	same := func(o *mesh.Object) bool {
		value, ok := fieldAt(o.Raw(), path)
		return ok == there && reflect.DeepEqual(value, want)
	}
	if r.source != nil && same(r.source) {
		return at(r.source)
	}
	if r.source != nil && path.String() == "metadata.name" {
		p := at(r.source) // the object as a whole
		p.Note = "renamed by " + r.kustomization
		return p
	}
	for _, part := range r.parts {
		if there && same(part) {
			return at(part)
		}
	}
	p := mesh.Position{File: r.kustomization, Line: 1, Column: 1, Note: "kustomize made it"}
	if r.source != nil {
		p.Note = fmt.Sprintf("kustomize changed it, from %s", at(r.source))
	}
	return p
}

// fieldAt is the value at a path, and whether there is one.
func fieldAt(value any, path mesh.Path) (any, bool) {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := value.(map[string]any)
			item, there := m[step]
			if !there {
				return nil, false
			}
			value = item
		case int:
			list, ok := value.([]any)
			if !ok || step < 0 || step >= len(list) {
				return nil, false
			}
			value = list[step]
		}
	}
	return value, true
}
