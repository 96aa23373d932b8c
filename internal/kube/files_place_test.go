package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/mesh"
)

// writer writes a value as YAML in many styles, and notes where each field's
// value and name were put.
type writer struct {
	random *rand.Rand
	b      strings.Builder
	places map[string][2][2]int // path -> value, key -> line, column
	eol    string
	json   bool
}

func (w *writer) here() [2]int {
	text := w.b.String()
	line := strings.Count(text, "\n") + 1
	last := text[strings.LastIndexByte(text, '\n')+1:]
	return [2]int{line, len([]rune(strings.TrimPrefix(last, "\ufeff"))) + 1}
}

func (w *writer) put(s string)      { w.b.WriteString(s) }
func (w *writer) chance(n int) bool { return w.random.IntN(n) == 0 }

// scalars in all the ways that one writes them; each is put by itself.
func (w *writer) scalar(flow bool, indent int) {
	if w.json {
		text, _ := json.Marshal([]any{"täxt\t\n", 7, true, "a\"b", 1.5, "{[,:"}[w.random.IntN(6)])
		w.put(string(text))
		return
	}
	styles := []string{"plain", "12", `"dou\tble: \"x\" # no"`, `'it''s'`, "höst.example.com", "true", `"a, b]"`, "&anchor x1", "!!str 5", "http://x:80/y#z"}
	n := len(styles)
	if !flow {
		n += 5
	}
	i := w.random.IntN(n)
	pad := strings.Repeat(" ", indent+2)
	switch {
	case i < len(styles):
		s := styles[i]
		if s == "&anchor x1" {
			s = fmt.Sprintf("&a%d x1", w.random.IntN(1000))
		}
		w.put(s)
	case i == len(styles):
		w.put("|" + w.eol + pad + "a: b" + w.eol + w.eol + pad + "- c # no" + w.eol + pad + "\ttab")
	case i == len(styles)+1:
		w.put(">-" + w.eol + pad + "folded" + w.eol + pad + "text: {{ x }}")
	case i == len(styles)+2:
		w.put("plain text" + w.eol + pad + "on two lines")
	case i == len(styles)+3:
		w.put(`"quoted` + w.eol + pad + `on two lines"`)
	default:
		w.put("|2+" + w.eol + pad + " x" + w.eol)
	}
}

func (w *writer) comment(indent int) {
	if w.json {
		return
	}
	if w.chance(6) {
		w.put(strings.Repeat(" ", indent) + "# ä comment: {" + w.eol)
	}
	if w.chance(9) {
		w.put(w.eol)
	}
}

func (w *writer) space() {
	if w.json && w.chance(3) {
		w.put([]string{" ", "\t", w.eol + "\t\t", w.eol}[w.random.IntN(4)])
	}
}

// flow writes a value on one line, or over several in JSON.
func (w *writer) flow(path mesh.Path, depth int) {
	start := w.here()
	switch w.random.IntN(3 + depth) {
	case 0:
		w.put("{")
		for i := range w.random.IntN(3) + 1 {
			if i > 0 {
				w.put(",")
				if !w.json {
					w.put(" ")
				}
			}
			w.space()
			name := fmt.Sprintf("k%d", i)
			key := w.here()
			if w.json || w.chance(3) {
				w.put(`"` + name + `"`)
			} else {
				w.put(name)
			}
			w.space()
			w.put(":")
			if !w.json {
				w.put(" ")
			}
			w.space()
			w.flow(path.Join(name), depth+1)
			w.name(path.Join(name), key)
			w.space()
		}
		w.put("}")
	case 1:
		w.put("[")
		for i := range w.random.IntN(3) + 1 {
			if i > 0 {
				w.put(", ")
			}
			w.space()
			item := w.here()
			w.flow(path.Join(i), depth+1)
			w.name(path.Join(i), item)
		}
		w.put("]")
	default:
		w.scalar(true, 0)
		w.places[path.String()] = [2][2]int{start, start}
	}
}

// name notes the place of a field's name, and that of anything larger than a
// scalar, which stands for its value.
func (w *writer) name(path mesh.Path, key [2]int) {
	if p, isScalar := w.places[path.String()]; isScalar {
		w.places[path.String()] = [2][2]int{p[0], key}
		return
	}
	w.places[path.String()] = [2][2]int{key, key}
}

// block writes a mapping or a list over several lines; what is before it on
// its line is indent columns wide.
func (w *writer) block(path mesh.Path, indent, depth int, inline bool) {
	list := len(path) > 0 && w.chance(2)
	for i := range w.random.IntN(3) + 1 {
		if !inline || i > 0 {
			w.comment(indent)
			w.put(strings.Repeat(" ", indent))
		}
		var at mesh.Path
		var key [2]int
		inner := indent + 2
		if list {
			w.put("- ")
			at, key = path.Join(i), w.here()
		} else {
			at, key = path.Join(fmt.Sprintf("k%d", i)), w.here()
			w.put(fmt.Sprintf("k%d:", i))
		}
		switch {
		case depth < 4 && w.chance(2) && list:
			w.block(at, inner, depth+1, true)
		case depth < 4 && w.chance(2) && !list:
			w.put(w.eol)
			w.block(at, inner, depth+1, false)
		default:
			if !list {
				w.put(strings.Repeat(" ", 1+w.random.IntN(2)))
			}
			if w.chance(3) {
				w.flow(at, 0)
			} else {
				start := w.here()
				w.scalar(false, indent)
				w.places[at.String()] = [2][2]int{start, start}
			}
			w.put(w.eol)
		}
		w.name(at, key)
	}
}

// object writes one object and notes its places below the given line prefix.
func (w *writer) object(indent int, inline bool) {
	pad := strings.Repeat(" ", indent)
	if !inline {
		w.comment(0)
		w.put(pad)
	}
	w.put("apiVersion: v1" + w.eol + pad + "kind: Thing" + w.eol + pad + "metadata: {name: x}" + w.eol + pad + "spec:" + w.eol)
	w.block(mesh.Path{"spec"}, indent+2, 0, false)
}

// TestPlacesAreWhereFieldsWereWritten: for random objects in random styles each
// field is found where it was put: in documents and lists, with any line ends,
// comments, tabs, anchors, byte order marks and letters of several bytes.
func TestPlacesAreWhereFieldsWereWritten(t *testing.T) {
	t.Parallel()
	checked := 0
	for seed := range uint64(800) {
		w := &writer{random: rand.New(rand.NewPCG(seed, 7)), eol: "\n"}
		if w.chance(4) {
			w.eol = "\r\n"
		}
		if w.chance(4) {
			w.put("\ufeff")
		}
		var want []map[string][2][2]int
		file := "x.yaml"
		if w.chance(4) {
			file, w.json = "x.json", true
			w.jsonDocument(&want)
		} else {
			for range w.random.IntN(3) + 1 {
				w.yamlDocument(&want)
			}
		}
		files, err := ReadTexts(context.Background(), []Text{{Path: file, Text: []byte(w.b.String())}})
		if err != nil || len(files.Broken)+len(files.Skipped) > 0 || len(files.Objects) != len(want) {
			t.Fatalf("seed %d: %v, broken %v, skipped %v, %d objects of %d in\n%s", seed, err, files.Broken, files.Skipped, len(files.Objects), len(want), w.b.String())
		}
		for i, places := range want {
			left := 15
			for path, p := range places {
				if left--; left < 0 {
					break // Go's order of maps is random
				}
				at := files.Objects[i].At("%s", path)
				value := at.Position()
				at.Key = true
				key := at.Position()
				checked++
				if got := [2][2]int{{value.Line, value.Column}, {key.Line, key.Column}}; got != p {
					t.Fatalf("seed %d: object %d, %s stands at %v, want %v in\n%s", seed, i, path, got, p, w.b.String())
				}
			}
		}
	}
	if checked < 5000 {
		t.Errorf("only %d places were looked at", checked)
	}
}

func (w *writer) yamlDocument(want *[]map[string][2][2]int) {
	for range w.random.IntN(3) {
		w.comment(0)
	}
	w.put("---" + []string{"", " # x", " "}[w.random.IntN(3)] + w.eol)
	if !w.chance(3) {
		w.places = map[string][2][2]int{}
		w.object(0, false)
		*want = append(*want, w.places)
		return
	}
	w.put("apiVersion: v1" + w.eol + "kind: List" + w.eol + "items:" + w.eol)
	indent := w.random.IntN(2) * 2
	for range w.random.IntN(3) + 1 {
		w.comment(0)
		w.put(strings.Repeat(" ", indent) + "- ")
		w.places = map[string][2][2]int{}
		w.object(indent+2, true)
		*want = append(*want, w.places)
	}
	if w.chance(2) {
		w.put("metadata: {resourceVersion: ''}" + w.eol)
	}
}

func (w *writer) jsonDocument(want *[]map[string][2][2]int) {
	head := func() {
		w.places = map[string][2][2]int{}
		w.put(`{"apiVersion":"v1",`)
		w.space()
		w.put(`"kind":"Thing","metadata":{"name":"x"},`)
		w.space()
		w.put(`"spec":`)
		w.space()
		w.flow(mesh.Path{"spec"}, 0)
		delete(w.places, "spec") // its name was not noted
		w.space()
		w.put("}")
		*want = append(*want, w.places)
	}
	if w.chance(2) {
		head()
		return
	}
	w.put(`{"kind":"ThingList",`)
	w.space()
	w.put(`"items":[`)
	for i := range w.random.IntN(3) + 1 {
		if i > 0 {
			w.put(",")
		}
		w.space()
		head()
	}
	w.put(`],"apiVersion":"v1"}` + w.eol)
}
