package checks_test

import (
	"bytes"
	"context"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

// FuzzAllChecks: whatever valid objects say, alone and of each other, no check
// fails inside.
func FuzzAllChecks(f *testing.F) {
	for seed := range uint64(60) {
		f.Add(randomBytes(seed, 1500))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 20_000 {
			noPanic(t, data)
		}
	})
}

// TestRandomMeshes is FuzzAllChecks over a hundred meshes, the same each time.
func TestRandomMeshes(t *testing.T) {
	t.Parallel()
	n := uint64(100)
	if testing.Short() {
		n = 20
	}
	for seed := range n {
		noPanic(t, randomBytes(seed, 4000))
	}
}

func randomBytes(seed uint64, n int) []byte {
	data := make([]byte, n)
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

// noPanic runs all checks over the mesh that data makes.
func noPanic(t *testing.T, data []byte) {
	t.Helper()
	d := &dice{data}
	report, err := analyze.RunAll(context.Background(), d.mesh(t), checks.Known(), analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range report.Findings {
		if finding.Code == "IST0001" {
			t.Errorf("%s", finding.Message)
		}
	}
	if err := output.Write(&bytes.Buffer{}, output.Options{}, report); err != nil {
		t.Error(err)
	}
}

// mesh is a mesh of a few objects: files alone, all of it, a cluster, or two.
func (d *dice) mesh(t *testing.T) []*mesh.Snapshot {
	options := mesh.Options{}
	sort := d.roll(4)
	switch sort {
	case 1:
		options.Complete = true
	case 2:
		options.Read = mesh.Kinds()
	}
	var objects []*mesh.Object
	if cases := written(t); d.roll(4) == 0 {
		objects = d.random()
	} else {
		for range 1 + d.roll(3) {
			for _, raw := range cases[d.roll(len(cases))] {
				objects = append(objects, d.bent(raw, len(objects)))
			}
		}
	}
	if sort < 3 {
		return []*mesh.Snapshot{mesh.New(objects, options)}
	}
	half := len(objects) / 2
	return mesh.Views([]mesh.Cluster{
		{Name: "east", Objects: objects[:half], Read: mesh.Kinds()}, {Name: "west", Objects: objects[half:], Read: mesh.Kinds()},
	}, false, options)
}

// random are objects made from nothing: all of few kinds, so that those that
// work together meet.
func (d *dice) random() []*mesh.Object {
	kinds := append(mesh.Kinds(), mesh.ForeignKind("argoproj.io/v1alpha1", "Rollout"))
	if few := d.roll(6); few > 0 {
		all := kinds
		kinds = []mesh.Kind{mesh.Service, mesh.Deployment}
		for range few {
			kinds = append(kinds, all[d.roll(len(all))])
		}
	}
	const each = 120
	var objects []*mesh.Object
	for len(d.bytes) > 0 && len(objects) < 40 {
		own := &dice{d.bytes[:min(each, len(d.bytes))]}
		d.bytes = d.bytes[min(each, len(d.bytes)):]
		objects = append(objects, own.object(kinds, len(objects)))
	}
	return objects
}

// bent is an object of a case of which some values are others.
func (d *dice) bent(raw map[string]any, i int) *mesh.Object {
	changed, _ := d.bend(raw).(map[string]any)
	changed["apiVersion"], changed["kind"] = raw["apiVersion"], raw["kind"]
	version, _ := raw["apiVersion"].(string)
	name, _ := raw["kind"].(string)
	kind, known := mesh.KindOf(version, name)
	if !known {
		kind = mesh.ForeignKind(version, name)
	}
	if metadata, ok := changed["metadata"].(map[string]any); !ok || metadata["name"] == nil {
		changed["metadata"] = raw["metadata"]
	}
	o := mesh.NewObject(kind, changed, mesh.Origin{File: "shop.yaml", Order: i})
	o.InNamespace("default")
	return o
}

// bend copies a value and replaces a part here and there by something of its type, or leaves it out.
func (d *dice) bend(value any) any {
	const seldom = 30
	other := d.roll(seldom) == seldom-1
	switch v := value.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if d.roll(seldom) != seldom-1 {
				m[k] = d.bend(v[k])
			}
		}
		if other {
			return map[string]any{}
		}
		return m
	case []any:
		list := []any{}
		for _, item := range v {
			switch d.roll(2 * seldom) {
			case 1:
			case 2:
				list = append(list, d.bend(item), d.bend(item))
			case 3:
				list = append(list, nil)
			default:
				list = append(list, d.bend(item))
			}
		}
		return list
	case string:
		if other {
			return d.word()
		}
	case int64:
		if other {
			return d.number(-1<<31, 1<<32)
		}
	case bool:
		return v != other
	}
	return value
}

// written are the objects of all cases of the checks, as they are decoded.
func written(t *testing.T) [][]map[string]any {
	t.Helper()
	cases, err := casesOnce()
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

var casesOnce = sync.OnceValues(func() ([][]map[string]any, error) {
	paths, err := filepath.Glob(filepath.Join("*", "testdata", "*", "*.txtar"))
	if err != nil {
		return nil, err
	}
	var cases [][]map[string]any
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			return nil, err
		}
		var texts []kube.Text
		for _, f := range archive.Files {
			if f.Name != "want" {
				texts = append(texts, kube.Text{Path: f.Name, Text: f.Data})
			}
		}
		files, err := kube.ReadTexts(context.Background(), texts)
		if err != nil {
			return nil, err
		}
		var raws []map[string]any
		for _, o := range files.Objects {
			raws = append(raws, o.Raw())
		}
		cases = append(cases, raws)
	}
	return cases, nil
})
