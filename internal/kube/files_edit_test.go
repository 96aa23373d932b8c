package kube

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/mesh"
)

func TestEditsChangeNothingElse(t *testing.T) {
	t.Parallel()
	const block = `# the shop's routes
apiVersion: networking.istio.io/v1 # stable
kind: VirtualService
metadata: {name: shop, labels: {a: b, c: 'it''s'}}
spec:
  hosts: [ "shop",   web ] # two
  # which gateways
  gateways:
  - public  # the one
  - mesh
  http:
  - route:
    - destnation:
        host: "näh" # ü
        port: {number: 80}
      weight: 100
  exportTo: ["."]
`
	const json = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"List\",\n\t\"items\": [\n\t\t{\"apiVersion\": \"v1\", \"kind\": \"Service\",\n" +
		"\t\t\t\"metadata\": {\"name\": \"a\"},\n\t\t\t\"spec\": {\n\t\t\t\t\"ports\": [{\"port\": 80, \"name\": \"web\"}]\n\t\t\t}}\n\t]\n}\n"
	crlf := "\xef\xbb\xbf---\r\n" + strings.ReplaceAll(block, "\n", "\r\n") + "---\r\n# the end\r\n"
	for _, c := range []struct {
		name, text string
		action     mesh.Action
		path       string
		value      any
		from, to   string // the only difference; an empty to is "refused"
	}{
		{"plain", block, mesh.Replace, "spec.gateways[0]", "ingress/public", "- public  #", "- ingress/public  #"},
		{"quoted", block, mesh.Replace, "spec.http[0].route[0].destnation.host", `a "b"`, `"näh" # ü`, `"a \"b\"" # ü`},
		{"single quotes", block, mesh.Replace, "metadata.labels.c", "o'o", `'it''s'`, `'o''o'`},
		{"text that looks like a number", block, mesh.Replace, "metadata.labels.a", "12", "a: b", `a: "12"`},
		{"number", block, mesh.Replace, "spec.http[0].route[0].weight", 7, "weight: 100", "weight: 7"},
		{"in braces", block, mesh.Replace, "spec.hosts[1]", "a: b", ",   web ]", `,   "a: b" ]`},
		{"rename", block, mesh.Rename, "spec.http[0].route[0].destnation", "destination", "destnation:", "destination:"},
		{"remove a line", block, mesh.Remove, "spec.exportTo", nil, "  exportTo: [\".\"]\n", "\x00"},
		{"remove with its items", block, mesh.Remove, "spec.gateways", nil, "  gateways:\n  - public  # the one\n  - mesh\n", "\x00"},
		{"remove the first of an item", block, mesh.Remove, "spec.http[0].route[0].destnation", nil, "", ""},
		{"remove in braces", block, mesh.Remove, "metadata.labels.a", nil, "a: b, c", "c"},
		{"remove last in braces", block, mesh.Remove, "metadata.labels", nil, ", labels: {a: b, c: 'it''s'}", "\x00"},
		{"insert", block, mesh.Insert, "spec.http[0].route[0].headers", map[string]any{"request": map[string]any{}},
			"- destnation:", "- headers: {\"request\":{}}\n      destnation:"},
		{"insert under a line", block, mesh.Insert, "spec.http[0].route[0].destnation.subset", "v1", "# ü\n", "# ü\n        subset: v1\n"},
		{"insert in braces", block, mesh.Insert, "metadata.namespace", "shop", "{name:", "{namespace: shop, name:"},
		{"insert what is there", block, mesh.Insert, "spec.hosts", "x", "", ""},
		{"only field", block, mesh.Remove, "spec.http[0].route[0].destnation.port.number", nil, "", ""},
		{"CRLF", crlf, mesh.Insert, "spec.http[0].route[0].destnation.subset", "v1", "# ü\r\n", "# ü\r\n        subset: v1\r\n"},
		{"CRLF remove", crlf, mesh.Remove, "spec.gateways", nil, "  gateways:\r\n  - public  # the one\r\n  - mesh\r\n", "\x00"},
		{"JSON", json, mesh.Replace, "spec.ports[0].name", "http", `"web"`, `"http"`},
		{"JSON rename", json, mesh.Rename, "spec.ports[0].name", "nam", `"name": "web"`, `"nam": "web"`},
		{"JSON insert", json, mesh.Insert, "spec.ports[0].appProtocol", "http", `{"port"`, `{"appProtocol": "http", "port"`},
		{"JSON insert a line", json, mesh.Insert, "spec.type", "ClusterIP", "\t\t\t\t\"ports\"", "\t\t\t\t\"type\": \"ClusterIP\",\n\t\t\t\t\"ports\""},
		{"JSON remove", json, mesh.Remove, "spec.ports[0].name", nil, `, "name": "web"`, "\x00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := readText(t, "a.yaml", c.text).Objects[0]
			change, ok := o.Change(mesh.Edit{Action: c.action, Path: mesh.ParsePath(c.path), Value: c.value})
			if ok != (c.to != "") {
				t.Fatalf("change %+v, made %v", change, ok)
			}
			if !ok {
				return
			}
			want := strings.Replace(c.text, c.from, strings.TrimPrefix(c.to, "\x00"), 1)
			if diff := cmp.Diff(want, changed(c.text, change)); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", change, diff)
			}
		})
	}
}

func TestSharedAndSpreadValuesAreNotEdited(t *testing.T) {
	t.Parallel()
	const text = `apiVersion: v1
kind: Service
metadata: {name: a, labels: &l {app: a}}
spec:
  selector: *l
  more: {<<: *l}
  name: &n web
  folded: >-
    one
    two
  long: one
    two
  tagged: !!str x
  empty:
`
	o := readText(t, "a.yaml", text).Objects[0]
	for _, path := range []string{
		"spec.selector.app", "spec.more.app", "metadata.labels.app", "spec.name", "spec.folded", "spec.long", "spec.tagged", "spec.empty", "spec.none", "spec.none.deep",
	} {
		if change, ok := o.Change(mesh.Edit{Path: mesh.ParsePath(path), Value: "y"}); ok {
			t.Errorf("%s: %+v", path, change)
		}
	}
}

// changed is a text with a change made by its lines and columns.
func changed(text string, c mesh.Change) string {
	bom := ""
	if rest, found := strings.CutPrefix(text, "\xef\xbb\xbf"); found {
		bom, text = "\xef\xbb\xbf", rest
	}
	lines := strings.SplitAfter(text, "\n")
	before := strings.Join(lines[:c.Line-1], "") + string([]rune(lines[c.Line-1])[:c.Column-1])
	end := strings.Join(lines[:c.EndLine-1], "") + string([]rune(lines[c.EndLine-1])[:c.EndColumn-1])
	return bom + before + c.New + text[len(end):]
}

// FuzzChange: an edit of any text is refused, or changes one field alone; the
// locator tries each before it answers.
func FuzzChange(f *testing.F) {
	seed, err := os.ReadFile("testdata/edit.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, "spec.hosts[0]", 0)
	f.Add([]byte("{\"apiVersion\": \"v1\", \"kind\": \"A\", \"metadata\": {\"name\": \"x\"}}"), "metadata.name", 2)
	f.Fuzz(func(t *testing.T, text []byte, path string, action int) {
		files, err := ReadTexts(t.Context(), []Text{{Path: "x.yaml", Text: text}})
		if err != nil {
			return
		}
		for _, o := range files.Objects {
			o.Change(mesh.Edit{Action: mesh.Action(action & 3), Path: mesh.ParsePath(path), Value: "v"})
		}
	})
}

func TestItemsOfListsAreEditedWhereTheyStand(t *testing.T) {
	t.Parallel()
	yamlText := "# two\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: b # b\n"
	jsonText := "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"a\"}},\n" +
		" {\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"b\"}}, {\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"c\"}}]}\n"
	for _, text := range []string{yamlText, strings.ReplaceAll(yamlText, "\n", "\r\n"), jsonText} {
		for _, o := range readText(t, "list.yaml", text).Objects {
			change, ok := o.Change(mesh.Edit{Path: mesh.ParsePath("metadata.name"), Value: "new"})
			if !ok {
				t.Fatalf("%s is not edited in\n%s", o, text)
			}
			want := strings.Replace(strings.Replace(text, "name: "+o.Name, "name: new", 1), `"`+o.Name+`"`, `"new"`, 1)
			if diff := cmp.Diff(want, changed(text, change)); diff != "" {
				t.Errorf("%s %+v (-want +got):\n%s", o, change, diff)
			}
		}
	}
}

// Of very many edits in one object only some are worked out: each reads all of it.
func TestEditsOfOneObjectAreBounded(t *testing.T) {
	t.Parallel()
	long := "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n# " + strings.Repeat("x", mostTried/4) + "\n"
	files, err := ReadTexts(t.Context(), []Text{{Path: "long.yaml", Text: []byte(long)}})
	if err != nil || len(files.Objects) != 1 {
		t.Fatal(err, files)
	}
	made := 0
	for range 100 {
		if _, ok := files.Objects[0].Change(mesh.Edit{Action: mesh.Replace, Path: mesh.ParsePath("metadata.name"), Value: "b"}); ok {
			made++
		}
	}
	if made < 1 || made > 4 {
		t.Errorf("%d edits are worked out", made)
	}
}
