package kube

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/meshctl/meshctl/internal/hint"
)

// hasExtension says whether a file's name is that of a file with objects.
func hasExtension(path string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, strings.ToLower(filepath.Ext(path)))
}

// walker collects the files that the paths of a command line mean.
type walker struct {
	out     *Files
	sources []*source
	// seen are the files, by their real path: each is read once.
	seen map[string]bool
	// passOver are the files and directories that hold no whole objects, and why.
	passOver map[string]string
	// kustomizations are the directories to render, by their real path.
	kustomizations map[string]*kustomization
}

func newWalker() *walker {
	return &walker{out: &Files{}, seen: map[string]bool{}, passOver: map[string]string{}, kustomizations: map[string]*kustomization{}}
}

// add adds what a path of the command line means.
func (w *walker) add(path string) error {
	if path == "-" {
		w.addSource(&source{path: path, named: true})
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		switch {
		case !os.IsNotExist(err):
		case strings.Contains(path, "://"):
			return hint.Unanswerablef("pipe it in: curl -fsS "+path+" | meshctl analyze -", "reading %s: meshctl fetches nothing", path)
		case strings.ContainsAny(path, "*?[{"):
			return w.addGlob(path)
		default:
			return &goneError{unreadable(path, err)}
		}
		return unreadable(path, err)
	}
	if info.IsDir() {
		return w.addDirectory(path)
	}
	return w.addFile(path, info)
}

// addFile adds a file that the user named.
func (w *walker) addFile(path string, info fs.FileInfo) error {
	what := special(info.Mode())
	switch {
	case isKustomizationName(filepath.Base(path)) && !isOrdinaryObject(path):
		w.markKustomization(filepath.Dir(path))
		return nil
	case what == "named pipe": // such as <(helm template ...)
	case what != "":
		return hint.Unanswerablef("name files with Kubernetes objects, or a directory of them", "reading %s: it is a %s", path, what)
	case !hasExtension(path):
		return hint.Unanswerablef("objects are read from .yaml, .yml and .json; pipe others in: meshctl analyze - < "+path,
			"reading %s: it is not a YAML or JSON file", path)
	}
	w.addSource(&source{path: path, named: true})
	return nil
}

// addGlob adds what a pattern means that no shell has expanded. As there,
// names with a dot in front must be written out; links to directories are not followed.
func (w *walker) addGlob(pattern string) error {
	matches, err := doublestar.FilepathGlob(pattern, doublestar.WithNoFollow(), doublestar.WithNoHidden())
	if err != nil {
		return hint.Unanswerablef("check the pattern", "reading %s: %s", pattern, reasonOf(err))
	}
	slices.Sort(matches)
	found := false
	for _, path := range matches {
		info, err := os.Stat(path)
		switch {
		case err != nil:
			w.addSource(&source{path: path})
			found = true
		case info.IsDir():
			// Its files match a pattern with **; of others, like a/*, they are meant.
			if !strings.Contains(pattern, "**") {
				if err := w.addDirectory(path); err != nil && !strings.Contains(err.Error(), noFiles) {
					return err
				}
				found = true
			}
		case hasExtension(path):
			found = true
			base, _ := doublestar.SplitPattern(filepath.ToSlash(pattern))
			w.markAbove(path, filepath.Clean(base))
			w.addFound(path, info.Mode())
		}
	}
	if !found {
		return &goneError{hint.Unanswerablef("check the pattern; * is any text but a slash, ** any directories", "reading %s: it matches no .yaml, .yml or .json file", pattern)}
	}
	return nil
}

// markAbove marks the directories of a file up to the one where the search began.
func (w *walker) markAbove(path, base string) {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		w.markSpecial(dir)
		if dir == base || dir == filepath.Dir(dir) {
			return
		}
	}
}

// ownSettings are meshctl's own, among the files that it reads.
const ownSettings = ".meshctl.yaml"

const noFiles = "it holds no .yaml, .yml or .json file"

// addDirectory adds the files of a directory and all below it, by path.
func (w *walker) addDirectory(root string) error {
	found := false // also what was named before, by another path
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if path == root {
				return unreadable(path, err)
			}
			found = true
			w.addSource(&source{path: path, err: err})
			return filepath.SkipDir
		}
		if entry.IsDir() {
			if path != root && strings.HasPrefix(entry.Name(), ".") {
				return filepath.SkipDir
			}
			w.markSpecial(path)
			found = found || w.kustomizations[realPath(path)] != nil
			return nil
		}
		if hasExtension(path) {
			found = true
			w.addFound(path, modeOf(path, entry))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !found {
		return &goneError{hint.Unanswerablef("name files with Kubernetes objects, or a directory of them", "reading %s: %s", root, noFiles)}
	}
	return nil
}

// modeOf is the mode of what a directory's entry leads to.
func modeOf(path string, entry fs.DirEntry) fs.FileMode {
	if entry.Type()&fs.ModeSymlink != 0 {
		if info, err := os.Stat(path); err == nil {
			return info.Mode()
		}
		return 0 // reading it says what is wrong
	}
	return entry.Type()
}

// addFound adds a file that was found below a directory or by a pattern.
func (w *walker) addFound(path string, mode fs.FileMode) {
	if mode.IsDir() || filepath.Base(path) == ownSettings {
		return // a link to a directory: links may lead in circles
	}
	reason := w.reasonFor(path)
	if what := special(mode); what != "" {
		reason = fmt.Sprintf("it is a %s", what)
	}
	if reason != "" {
		if !w.seen[path] {
			w.seen[path] = true
			w.out.Skipped = append(w.out.Skipped, SkippedFile{Path: path, Reason: reason, text: w.templateText(path, reason)})
		}
		return
	}
	w.addSource(&source{path: path})
}

// addSource adds a file that was not named before.
func (w *walker) addSource(s *source) {
	key := realPath(s.path)
	if !w.seen[key] {
		w.seen[key] = true
		w.sources = append(w.sources, s)
	}
}

// realPath is the one absolute path of a file that has many.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

// reasonFor is why the file, or a directory above it, is passed over.
func (w *walker) reasonFor(path string) string {
	for p := path; ; p = filepath.Dir(p) {
		if reason := w.passOver[p]; reason != "" {
			return reason
		}
		if p == filepath.Dir(p) {
			return ""
		}
	}
}

const chartTemplate = "it is a Helm template; render it with `helm template` and pipe the result in"

// templateText is what a template may make objects of; nil for other files.
func (w *walker) templateText(path, reason string) []byte {
	if reason != chartTemplate {
		return nil
	}
	text, _ := os.ReadFile(path)
	return text
}

// markSpecial notes what a Helm chart in dir takes out of the files with whole
// objects, and a kustomization.
func (w *walker) markSpecial(dir string) {
	if _, err := os.Stat(filepath.Join(dir, "Chart.yaml")); err == nil {
		w.passOver[filepath.Join(dir, "Chart.yaml")] = "it describes a Helm chart"
		w.passOver[filepath.Join(dir, "values.yaml")] = "it is a values file of a Helm chart"
		w.passOver[filepath.Join(dir, "values.schema.json")] = "it is the schema of a Helm chart's values"
		w.passOver[filepath.Join(dir, "templates")] = chartTemplate
	}
	w.markKustomization(dir)
}
