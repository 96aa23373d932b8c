// Package files has the checks of the files themselves, whatever stands in them.
package files

import (
	"maps"
	"path/filepath"
	"reflect"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// few are so many objects that two files share that each is told of.
const few = 3

// DefinedTwice finds objects that the files define more than once.
var DefinedTwice = &analyze.Check{
	Code: "MSH0703", Name: "defined-twice", Severity: analyze.Error,
	Doc: analyze.Doc{
		What: "The same object, of one kind, namespace and name, is defined more than once in the files.",
		Why:  "They are applied one after the other, so the last definition replaces the others, and who changes one of those sees nothing happen. The order of the files decides which one counts.",
		Fix:  "Keep one definition. Folders for different environments are analyzed one at a time.",
	},
	Run: func(p *analyze.Pass) {
		var order []pair
		shared := map[pair][]*mesh.Object{}
		for _, o := range p.Shadowed() {
			k := pairOf(o, p.Counting(o))
			if shared[k] == nil {
				order = append(order, k)
			}
			shared[k] = append(shared[k], o)
		}
		for _, k := range order {
			k.report(p, shared[k])
		}
	},
}

// pair is two places of the input that define the same objects: two files of
// a folder, or two folders.
type pair struct{ earlier, later string }

func pairOf(earlier, later *mesh.Object) pair {
	a, b := fileOf(earlier), fileOf(later)
	if filepath.Dir(a) != filepath.Dir(b) {
		return pair{filepath.Dir(a), filepath.Dir(b)}
	}
	return pair{a, b}
}

// fileOf is what defines an object: a file, or the kustomization that renders it.
func fileOf(o *mesh.Object) string {
	if o.Origin.Via != "" {
		return o.Origin.Via
	}
	return o.Origin.File
}

func (k pair) report(p *analyze.Pass, objects []*mesh.Object) {
	if len(objects) > few {
		k.reportMany(p, objects)
		return
	}
	for _, o := range objects {
		later := p.Counting(o)
		if same(o, later) {
			p.Report(o.At(""), "is defined twice, with the same content").As(analyze.Info).
				Suggest("remove one of the two definitions")
			continue
		}
		p.Report(o.At(""), "is defined twice, and the later definition replaces this one").As(k.severity(o, later)).
			Suggest("%s", k.advice(o, later))
	}
}

// reportMany is one finding for all that two places share.
func (k pair) reportMany(p *analyze.Pass, objects []*mesh.Object) {
	var different, first *mesh.Object
	n := 0
	for _, o := range objects {
		if first == nil {
			first = o
		}
		if !same(o, p.Counting(o)) {
			if n++; different == nil {
				different = o
			}
		}
	}
	severity := analyze.Info
	if different != nil {
		first, severity = different, k.severity(different, p.Counting(different))
	}
	f := p.Report(first.At(""), "%d objects of %q are defined again in %q, %d of them with other content", len(objects), k.earlier, k.later, n).As(severity)
	f.Suggest("%s", k.advice(first, p.Counting(first)))
}

// severity is an error within a folder, which is applied as a whole. Folders
// may be environments that nobody applies to one cluster.
func (k pair) severity(earlier, later *mesh.Object) analyze.Severity {
	if filepath.Dir(fileOf(earlier)) != filepath.Dir(fileOf(later)) {
		return analyze.Warning
	}
	return analyze.Error
}

func (k pair) advice(earlier, later *mesh.Object) string {
	if filepath.Dir(fileOf(earlier)) != filepath.Dir(fileOf(later)) {
		return "keep one of the two definitions; if the folders are different environments, analyze one at a time"
	}
	return "keep one of the two definitions"
}

// same says whether two definitions of an object mean the same: the versions
// of a kind's API do, and so does a namespace that was not written down.
func same(a, b *mesh.Object) bool { return reflect.DeepEqual(content(a), content(b)) }

func content(o *mesh.Object) map[string]any {
	raw := maps.Clone(o.Raw())
	delete(raw, "apiVersion")
	if metadata, ok := raw["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		delete(metadata, "namespace")
		raw["metadata"] = metadata
	}
	return raw
}
