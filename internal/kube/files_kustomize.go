package kube

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/meshctl/meshctl/internal/mesh"
)

// kustomization is a directory that kustomize renders, as far as its text
// tells without rendering it.
type kustomization struct {
	// dir is the path as the user gave it, file the kustomization in it.
	dir, file string
	// refused is why it is not rendered; empty when it can be.
	refused string
	// component says that only others can use it.
	component bool
	// uses are the files that it and its bases name, by their real path.
	uses map[string]bool
	// bases are the real paths of the directories that it builds on.
	bases map[string]bool
	// missing are the entries that lead nowhere.
	missing []BrokenDocument
}

func isKustomizationName(name string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), name)
}

// isOrdinaryObject says whether a file that is called kustomization.yaml holds
// an object for a cluster instead, such as Flux's Kustomization.
func isOrdinaryObject(path string) bool {
	var head struct {
		APIVersion string `yaml:"apiVersion"`
	}
	text, err := os.ReadFile(path)
	return err == nil && yaml.Unmarshal(text, &head) == nil && head.APIVersion != "" && !strings.HasPrefix(head.APIVersion, "kustomize.config.k8s.io/")
}

// kustomizationIn is the path of the kustomization of a directory; empty when it has none.
func kustomizationIn(dir string) string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && !isOrdinaryObject(path) {
			return path
		}
	}
	return ""
}

// markKustomization has a directory rendered that holds a kustomization.
func (w *walker) markKustomization(dir string) {
	file := kustomizationIn(dir)
	key := realPath(dir)
	if file == "" || w.kustomizations[key] != nil {
		return
	}
	k := &kustomization{dir: dir, file: file, uses: map[string]bool{}, bases: map[string]bool{}}
	k.inspect(dir, file, 0)
	w.kustomizations[key] = k
	w.sources = append(w.sources, &source{path: dir, kustomized: true, kustomization: k})
}

// chosen are the sources to read: not the kustomizations that others build on,
// nor the files that one renders or leaves aside.
func (w *walker) chosen() []*source {
	bases, uses := map[string]bool{}, map[string]bool{}
	for dir, k := range w.kustomizations {
		for base := range k.bases {
			// What builds on itself is rendered, to say so.
			bases[base] = bases[base] || !k.bases[dir]
		}
		for file := range k.uses {
			uses[file] = true
		}
	}
	return slices.DeleteFunc(w.sources, func(s *source) bool {
		if s.kustomized {
			base := bases[realPath(s.path)]
			if !base && s.kustomization.component {
				w.out.Skipped = append(w.out.Skipped, SkippedFile{Path: s.kustomization.file, Reason: "it is a component, which only other kustomizations can use"})
			}
			return base || s.kustomization.component
		}
		real := realPath(s.path)
		switch {
		case s.path == "-":
			return false
		case uses[real]:
			return true
		case !s.named && w.kustomizations[filepath.Dir(real)] != nil:
			w.out.Skipped = append(w.out.Skipped, SkippedFile{Path: s.path, Reason: "the kustomization beside it does not name it"})
			return true
		}
		return false
	})
}

// inspect reads a kustomization and those that it builds on: which files they
// use, and whether it can be rendered from files alone.
func (k *kustomization) inspect(dir, file string, depth int) {
	k.uses[realPath(file)] = true
	text, err := os.ReadFile(file)
	var root map[string]any
	if err != nil || yaml.Unmarshal(text, &root) != nil || depth > 50 {
		return // rendering says why
	}
	k.component = k.component || depth == 0 && root["kind"] == "Component"
	for field, value := range root {
		switch field {
		case "helmCharts", "helmChartInflationGenerator":
			k.refuse("it inflates Helm charts, which meshctl does not; render it with `kustomize build --enable-helm` and pipe the result in")
		case "commonLabels", "commonAnnotations", "labels", "images", "namePrefix", "nameSuffix", "namespace", "vars", "metadata", "buildMetadata", "sortOptions":
		default:
			in := inspected{&document{path: file, line: 1, text: text}, dir, field, depth}
			k.inspectValue(in, mesh.Path{field}, value)
		}
	}
}

// inspected is what of a kustomization is looked at: a field of the one in dir.
type inspected struct {
	document   *document
	dir, field string
	depth      int
}

func (k *kustomization) inspectValue(in inspected, path mesh.Path, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, item := range v {
			if key != "literals" && key != "patch" && key != "options" && key != "target" {
				k.inspectValue(in, path.Join(key), item)
			}
		}
	case []any:
		for i, item := range v {
			k.inspectValue(in, path.Join(i), item)
		}
	case string:
		k.inspectText(in, path, v)
	}
}

// inspectText judges a text of a kustomization that may be a path.
func (k *kustomization) inspectText(in inspected, path mesh.Path, text string) {
	plugin := slices.Contains([]string{"generators", "transformers", "validators"}, in.field)
	if strings.Contains(text, "\n") {
		if plugin {
			k.inspectPlugin([]byte(text))
		}
		return
	}
	if _, file, found := strings.Cut(text, "="); found && strings.HasSuffix(in.field, "Generator") {
		text = file
	}
	if isRemote(text) {
		k.refuse(fmt.Sprintf("it names %s, and meshctl fetches nothing; render it with `kubectl kustomize` and pipe the result in", text))
		return
	}
	directories := plugin || slices.Contains([]string{"resources", "bases", "components"}, in.field)
	file := filepath.Join(in.dir, text)
	info, err := os.Stat(file)
	switch {
	case err != nil:
		if directories {
			p := mesh.Position{File: in.document.path}
			p.Line, p.Column = (&locator{document: in.document}).Locate(path, false)
			k.missing = append(k.missing, BrokenDocument{Position: p, Reason: fmt.Sprintf("%s %q: %s", in.field, text, reasonOf(err)), text: []byte{}})
		}
	case !info.IsDir():
		k.uses[realPath(file)] = true
		if plugin {
			content, _ := os.ReadFile(file)
			k.inspectPlugin(content)
		}
	case directories:
		real := realPath(file)
		if base := kustomizationIn(file); base != "" && !k.bases[real] {
			k.bases[real] = true
			k.inspect(file, base, in.depth+1)
		}
	}
}

// inspectPlugin judges the configuration of generators and transformers: only
// kustomize's own are run, and only on files.
func (k *kustomization) inspectPlugin(text []byte) {
	for _, d := range split("", text) {
		value, err := d.decode()
		m, _ := value.(map[string]any)
		switch {
		case err != nil || m == nil:
		case m["kind"] == "HelmChartInflationGenerator":
			k.refuse("it inflates Helm charts, which meshctl does not; render it with `kustomize build --enable-helm` and pipe the result in")
		case m["apiVersion"] != "builtin", bytes.Contains(text, []byte("config.kubernetes.io/function")):
			k.refuse(fmt.Sprintf("it runs the plugin %v, which meshctl does not; render it with `kustomize build` and pipe the result in", m["kind"]))
		case bytes.Contains(text, []byte("://")):
			k.refuse("it names a URL, and meshctl fetches nothing; render it with `kubectl kustomize` and pipe the result in")
		}
	}
}

func (k *kustomization) refuse(reason string) {
	if k.refused == "" || reason < k.refused {
		k.refused = reason
	}
}

// isRemote says whether kustomize would fetch what a text names.
func isRemote(text string) bool {
	lower := strings.ToLower(text)
	for _, start := range []string{"github.com/", "github.com:", "git@", "git::", "gh:", "gitlab.com/", "bitbucket.org/", "www."} {
		if strings.HasPrefix(lower, start) {
			return true
		}
	}
	return strings.Contains(lower, "://") || strings.Contains(lower, "?ref=") || strings.Contains(lower, "_git/") || strings.Contains(lower, ".git/")
}

// brokenFiles are the documents of the files that a kustomization uses that
// are no valid YAML: what kustomize says of them has no position.
func (k *kustomization) brokenFiles(ctx context.Context) []BrokenDocument {
	broken := slices.Clone(k.missing)
	for real := range k.uses {
		if ctx.Err() != nil || !hasExtension(real) {
			continue
		}
		text, err := os.ReadFile(real)
		if err != nil {
			broken = append(broken, BrokenDocument{Position: mesh.Position{File: pathFrom(k.dir, real)}, Reason: reasonOf(err)})
			continue
		}
		for _, d := range split(pathFrom(k.dir, real), text) {
			if d.parse(); len(d.broken) > 0 {
				broken = append(broken, d.broken...)
			}
		}
	}
	slices.SortFunc(broken, func(a, b BrokenDocument) int { return a.Position.Compare(b.Position) })
	return broken
}

// pathFrom is a real path as the user would write it: below or beside dir.
func pathFrom(dir, real string) string {
	if rel, err := filepath.Rel(realPath(dir), real); err == nil {
		return filepath.Join(dir, rel)
	}
	return real
}
