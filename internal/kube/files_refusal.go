package kube

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

var (
	unknownField = regexp.MustCompile(`unknown field "([^"]+)"`)
	visitedRoot  = regexp.MustCompile(`contains visited root '([^']+)'`)
)

// refusal is kustomize's error, with a place where one can be told.
func (k *kustomization) refusal(err error) BrokenDocument {
	reason := strings.ReplaceAll(strings.Join(strings.Fields(err.Error()), " "), realPath(k.dir)+string(filepath.Separator), "")
	b := BrokenDocument{Position: mesh.Position{File: k.file, Line: 1, Column: 1}, Reason: "kustomize cannot render it: " + reason, text: []byte{}}
	if found := visitedRoot.FindStringSubmatch(reason); found != nil {
		b.Reason = "it builds on itself"
		if found[1] != realPath(k.dir) {
			b.Reason = fmt.Sprintf("it builds on %s, which builds on itself", pathFrom(k.dir, found[1]))
		}
	}
	if found := unknownField.FindStringSubmatch(reason); found != nil {
		if p, there := k.fieldNamed(found[1]); there {
			b.Position, b.Reason = p, fmt.Sprintf("a kustomization has no field %q", found[1])
			if next := hint.DidYouMean(found[1], kustomizationFields()); next != "" {
				b.Reason += "; " + next
			}
		}
	}
	return b
}

// fieldNamed is where one of the kustomizations has a field at its top.
func (k *kustomization) fieldNamed(name string) (mesh.Position, bool) {
	for _, file := range append([]string{realPath(k.file)}, sortedFiles(k.uses)...) {
		if !isKustomizationName(filepath.Base(file)) {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		d := &document{path: pathFrom(k.dir, file), line: 1, text: text}
		value, err := d.decode()
		if m, ok := value.(map[string]any); err == nil && ok && m[name] != nil {
			p := mesh.Position{File: d.path}
			p.Line, p.Column = (&locator{document: d}).Locate(mesh.Path{name}, true)
			return p, true
		}
	}
	return mesh.Position{}, false
}

func sortedFiles(uses map[string]bool) []string {
	var files []string
	for file := range uses {
		files = append(files, file)
	}
	slices.Sort(files)
	return files
}

// kustomizationFields are the names of the fields that kustomize knows.
func kustomizationFields() []string {
	var names []string
	for f := range reflect.TypeFor[types.Kustomization]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}
