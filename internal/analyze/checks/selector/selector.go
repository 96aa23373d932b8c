// Package selector is what the checks of label selectors have in common.
package selector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Kinds are all kinds that a selector may pick, without Pod: checks put that
// in Reads, because nobody can say what a selector picks without it.
func Kinds() []mesh.Kind {
	return slices.DeleteFunc(mesh.SelectableKinds(), func(k mesh.Kind) bool { return k == mesh.Pod })
}

// Text is a selector as kubectl writes it: "app=reviews,version=v1".
func Text(labels map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, k+"="+labels[k])
	}
	return strings.Join(parts, ",")
}

// Suggest names the label that keeps a selector from picking anything in a
// namespace (empty: in any), if one value is close to another's. Very short
// values, such as v1 and v2, are close without being meant.
func Suggest(f *analyze.Finding, p *analyze.Pass, namespace string, labels map[string]string) {
	p.Advise(func() { suggest(f, p, namespace, labels) })
}

func suggest(f *analyze.Finding, p *analyze.Pass, namespace string, labels map[string]string) {
	workloads := p.Workloads()
	if namespace != "" {
		workloads = p.WorkloadsIn(namespace)
	}
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if len(labels[k]) < 4 {
			continue
		}
		var there []string
		found := false
		for _, w := range workloads {
			if v, ok := w.PodLabels[k]; ok {
				there = append(there, v)
				found = found || v == labels[k]
			}
		}
		if best := hint.Closest(labels[k], there); best != "" && !found {
			f.Suggest("change %s to %q", k, best)
			return
		}
	}
}

// Few names the first three of many, and how many more there are.
func Few(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
