package kube

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/internal/hint"
)

// extensions are those of files with objects.
var extensions = []string{".yaml", ".yml", ".json"}

// sourcesAt are the files that a path of the command line means.
func sourcesAt(path string, stdin io.Reader, out *Files) ([]source, error) {
	if path == "-" {
		text, err := io.ReadAll(stdin)
		if err != nil {
			return nil, hint.Unanswerablef("", "reading stdin: %w", err)
		}
		if text == nil {
			text = []byte{}
		}
		return []source{{path: path, named: true, text: text}}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	if !info.IsDir() {
		if !slices.Contains(extensions, filepath.Ext(path)) {
			return nil, hint.Unanswerablef("objects are read from .yaml, .yml and .json; pipe others in: meshctl analyze - < "+path,
				"reading %s: it is not a YAML or JSON file", path)
		}
		return []source{{path: path, named: true}}, nil
	}
	return sourcesUnder(path, out)
}

// sourcesUnder are the files of a directory and all below it, by path.
func sourcesUnder(root string, out *Files) ([]source, error) {
	var sources []source
	passOver := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return unreadable(path, err)
		}
		if entry.IsDir() {
			if path != root && strings.HasPrefix(entry.Name(), ".") {
				return filepath.SkipDir
			}
			markSpecial(path, passOver)
			return nil
		}
		if !slices.Contains(extensions, filepath.Ext(path)) {
			return nil
		}
		if reason := reasonFor(path, passOver); reason != "" {
			out.Skipped = append(out.Skipped, SkippedFile{path, reason})
			return nil
		}
		sources = append(sources, source{path: path})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(sources) == 0 && len(out.Skipped) == 0 {
		return nil, hint.Unanswerablef("name files with Kubernetes objects, or a directory of them", "reading %s: it holds no .yaml, .yml or .json file", root)
	}
	return sources, nil
}

// reasonFor is why the file, or a directory above it, is passed over.
func reasonFor(path string, passOver map[string]string) string {
	for p := path; ; p = filepath.Dir(p) {
		if reason := passOver[p]; reason != "" {
			return reason
		}
		if p == filepath.Dir(p) {
			return ""
		}
	}
}

// markSpecial notes what a Helm chart or a kustomization in dir takes out of
// the files with whole objects.
func markSpecial(dir string, passOver map[string]string) {
	if _, err := os.Stat(filepath.Join(dir, "Chart.yaml")); err == nil {
		passOver[filepath.Join(dir, "Chart.yaml")] = "it describes a Helm chart"
		passOver[filepath.Join(dir, "values.yaml")] = "it is a values file of a Helm chart"
		passOver[filepath.Join(dir, "values.schema.json")] = "it is the schema of a Helm chart's values"
		passOver[filepath.Join(dir, "templates")] = "it is a Helm template; render it with `helm template` and pipe the result in"
	}
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		passOver[filepath.Join(dir, name)] = "it is a kustomization; render it with `kubectl kustomize` and pipe the result in"
		var k struct {
			Patches []struct {
				Path string `yaml:"path"`
			} `yaml:"patches"`
			Strategic []string `yaml:"patchesStrategicMerge"`
			JSON      []struct {
				Path string `yaml:"path"`
			} `yaml:"patchesJson6902"`
		}
		if yaml.Unmarshal(text, &k) != nil {
			continue
		}
		patch := func(path string) {
			if path != "" {
				passOver[filepath.Join(dir, path)] = "it is a patch of a kustomization"
			}
		}
		for _, p := range k.Patches {
			patch(p.Path)
		}
		for _, p := range k.Strategic {
			patch(p)
		}
		for _, p := range k.JSON {
			patch(p.Path)
		}
	}
}

// unreadable is the error of a path that cannot be read.
func unreadable(path string, err error) error {
	next := "check the path"
	if errors.Is(err, fs.ErrPermission) {
		next = "check the permissions of the path"
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return hint.Unanswerablef(next, "reading %s: %w", path, err)
}
