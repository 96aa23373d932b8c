package kube

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

func readText(t *testing.T, path, text string) *Files {
	t.Helper()
	files, err := ReadTexts(context.Background(), []Text{{Path: path, Text: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func refs(files *Files) []string {
	names := []string{}
	for _, o := range files.Objects {
		names = append(names, o.String())
	}
	return names
}

const manyDocuments = "\xef\xbb\xbf# a comment before everything\n" +
	"---\n" +
	"apiVersion: v1\nkind: Service\nmetadata: {name: one, namespace: shop}\n" +
	"--- # two\r\n" +
	"apiVersion: v1\r\nkind: List\r\nitems:\r\n- apiVersion: v1\r\n  kind: Service\r\n  metadata:\r\n    name: two\r\n" +
	"- apiVersion: networking.istio.io/v1beta1\r\n  kind: VirtualService\r\n  metadata: {name: three}\r\n" +
	"---\n---\n# nothing here\n---\n" +
	"apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: four}\n...\n"

func TestFilesHoldManyDocumentsAndLists(t *testing.T) {
	t.Parallel()
	files := readText(t, "all.yaml", manyDocuments)
	want := []string{"Service shop/one", "Service two", "VirtualService three", "Rollout four"}
	if diff := cmp.Diff(want, refs(files)); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if len(files.Broken)+len(files.Skipped) > 0 {
		t.Errorf("broken %v, skipped %v", files.Broken, files.Skipped)
	}
	wantAt := []string{"all.yaml:5:18", "all.yaml:13:11", "all.yaml:16:20", "all.yaml:23:18"}
	for i, o := range files.Objects {
		if got := o.At("").Position().String(); got != wantAt[i] {
			t.Errorf("%s stands at %s, want %s", o, got, wantAt[i])
		}
	}
}

func TestPlacesOfFields(t *testing.T) {
	t.Parallel()
	const yamlText = `apiVersion: v1
kind: Service
metadata:
  name: reviews
  labels:
    app.kubernetes.io/name: reviews
spec:
  ports: &ports
  - name: http
    port: 9080
    extra: {}
  more:
    <<: &base {color: red}
    ports: *ports
`
	const jsonText = "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"List\",\n\t\"items\": [\n\t\t{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\": {\"name\": \"a\"},\n\t\t\"spec\": {\"ports\": [{\"port\": 80}]}}\n\t]\n}\n"
	for _, c := range []struct {
		file, text, path string
		key              bool
		want             string
	}{
		{"a.yaml", yamlText, "spec.ports[0].port", false, "a.yaml:10:11"},
		{"a.yaml", yamlText, "spec.ports[0].port", true, "a.yaml:10:5"},
		{"a.yaml", yamlText, "spec.ports", false, "a.yaml:8:3"},
		{"a.yaml", yamlText, "spec.ports[0]", false, "a.yaml:9:5"},
		{"a.yaml", yamlText, "spec.ports[0].nope.deeper", false, "a.yaml:9:5"},
		{"a.yaml", yamlText, "spec.ports[7].port", false, "a.yaml:8:3"},
		{"a.yaml", yamlText, `metadata.labels["app.kubernetes.io/name"]`, false, "a.yaml:6:29"},
		{"a.yaml", yamlText, "spec.more.color", false, "a.yaml:13:23"},
		{"a.yaml", yamlText, "spec.more.ports[0].name", false, "a.yaml:9:11"},
		{"a.json", jsonText, "spec.ports[0].port", false, "a.json:6:31"},
		{"a.json", jsonText, "", false, "a.json:5:64"},
	} {
		o := readText(t, c.file, c.text).Objects[0]
		at := o.At("%s", c.path)
		at.Key = c.key
		if got := at.Position().String(); got != c.want {
			t.Errorf("%s of %s (key %v) stands at %s, want %s", c.path, c.file, c.key, got, c.want)
		}
	}
}

func TestABrokenDocumentSpoilsOnlyItself(t *testing.T) {
	t.Parallel()
	const good = "apiVersion: v1\nkind: Service\nmetadata: {name: good}\n"
	for _, c := range []struct{ name, text, want string }{
		{"syntax", "a: b\n  c: [\n", "x.yaml:6:3 it is not valid YAML: mapping values are not allowed in this context"},
		{"open list", "a: b\nc: [d\ne: f\n", "x.yaml:6:1 it is not valid YAML: did not find expected ',' or ']'"},
		{"twice", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nkind: Service\n", `x.yaml:8:1 the field "kind" stands there twice`},
		{"no kind", "apiVersion: v1\nmetadata: {name: a}\n", "x.yaml:5:1 the object has no kind"},
		{"item", "apiVersion: v1\nkind: List\nitems:\n- 7\n", "x.yaml:8:3 items[0] is not an object"},
		{"bytes", "apiVersion: v1\nkind: \xff\xfe\n", "x.yaml:6:1 it is not valid UTF-8"},
		{"aliases", "a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" + bomb(), "x.yaml:6:9 it grows without end through its aliases"},
	} {
		files := readText(t, "x.yaml", good+"---\n"+c.text+"---\n"+good)
		if len(files.Objects) != 2 || len(files.Broken) != 1 {
			t.Errorf("%s: %d objects, broken %v", c.name, len(files.Objects), files.Broken)
			continue
		}
		if got := files.Broken[0].Position.String() + " " + files.Broken[0].Reason; got != c.want && c.name != "aliases" {
			t.Errorf("%s: got  %q\nwant %q", c.name, got, c.want)
		} else if c.name == "aliases" && !strings.Contains(got, "grows without end") {
			t.Errorf("%s: got %q", c.name, got)
		}
	}
}

func bomb() string {
	var b strings.Builder
	for c := 'c'; c < 'l'; c++ {
		fmt.Fprintf(&b, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	return b.String()
}

func TestScalarsAreWhatKubectlMakesOfThem(t *testing.T) {
	t.Parallel()
	const text = `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {a: yes, b: "yes", c: 012, d: 1.5, e: ~, f: 1e3, g: 2024-01-02, h: on, i: 0x1F, j: "7", k: True, l: 12345678901234567890}
`
	got := readText(t, "a.yaml", text).Objects[0].Field("data")
	want := map[string]any{
		"a": true, "b": "yes", "c": int64(10), "d": 1.5, "e": nil, "f": 1000.0, "g": "2024-01-02", "h": true, "i": int64(31),
		"j": "7", "k": true, "l": 1.2345678901234567e19,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
}

func TestDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	service := func(name string) string { return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\n" }
	write("b.yaml", service("b"))
	write("a/a.yml", service("a"))
	write("README.md", "# not YAML")
	write(".git/x.yaml", service("hidden"))
	write("chart/Chart.yaml", "apiVersion: v2\nname: chart\n")
	write("chart/values.yaml", "a: b\n")
	write("chart/templates/s.yaml", "kind: {{ .Values.kind }}\n")
	write("loose.yaml", "apiVersion: v1\nkind: {{ .Values.kind }}\n")
	write("k/kustomization.yaml", "resources: [s.yaml]\npatches: [{path: p.yaml}]\n")
	write("k/s.yaml", service("k"))
	write("k/p.yaml", service("k"))
	files, err := ReadFiles(context.Background(), []string{dir}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Service a", "Service b", "Service k"}, refs(files)); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	skipped := []string{}
	for _, s := range files.Skipped {
		rel, _ := filepath.Rel(dir, s.Path)
		skipped = append(skipped, rel)
	}
	want := []string{"chart/Chart.yaml", "chart/templates/s.yaml", "chart/values.yaml", "loose.yaml"}
	if diff := cmp.Diff(want, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestUnreadableInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	values := filepath.Join(dir, "values.yaml")
	if err := os.WriteFile(values, []byte("a: b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "none.yaml"), "no such file or directory"},
		{values, "it holds no object with apiVersion and kind"},
		{"files_test.go", "it is not a YAML or JSON file"},
		{"-", "it holds no object with apiVersion and kind"},
	} {
		_, err := ReadFiles(context.Background(), []string{c.path}, strings.NewReader(""))
		if err == nil || !strings.Contains(err.Error(), c.want) || hint.ClassOf(err) != hint.Unanswerable || hint.Of(err) == "" {
			t.Errorf("reading %s: %v (hint %q), want %q", c.path, err, hint.Of(err), c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := ReadFiles(ctx, []string{values}, nil); err == nil {
		t.Error("reading goes on after its context has ended")
	}
}

// FuzzReadTexts: any bytes are objects, broken documents or an error, and every
// object knows its place.
func FuzzReadTexts(f *testing.F) {
	f.Add([]byte(manyDocuments))
	f.Add([]byte("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[{}]}"))
	f.Add([]byte("a: &a {<<: *a}\napiVersion: v1\nkind: X"))
	f.Fuzz(func(t *testing.T, text []byte) {
		files, err := ReadTexts(context.Background(), []Text{{Path: "x.yaml", Text: text}})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(string(text), "\n") + 1
		for _, o := range files.Objects {
			for _, path := range []string{"", "spec.http[0].route", "metadata.labels"} {
				if p := o.At("%s", path).Position(); p.Line < 1 || p.Line > lines || p.Column < 1 {
					t.Errorf("%s of %s stands at %s", path, o, p)
				}
			}
			_ = mesh.New(files.Objects, mesh.Options{}).Len()
		}
	})
}

// FuzzItems: a list that is cut into items is what it is as a whole.
func FuzzItems(f *testing.F) {
	const head = "apiVersion: v1\nkind: List\n"
	f.Add(head + "items:\n- apiVersion: v1\n  kind: A\n- apiVersion: v1\n  kind: B\n  x: |\n    - y\n")
	f.Add(head + "items:\n  - apiVersion: v1\n    kind: A\n  # c\n  -\n    kind: B\n    apiVersion: v1\nmetadata: {}\n")
	f.Add(head + "items:\n- &a {apiVersion: v1, kind: A}\n- *a\n- \"x\n- y\"\n")
	f.Add("items:\n- {}\n- 7\nkind: XList\r\napiVersion: v1\n---\n" + head + "items:\n- kind: A\n  apiVersion: v1\n  a: 'x\n- kind: B\n  apiVersion: v1'\n- b\n")
	f.Add("{\"kind\":\"List\",\"apiVersion\":\"v1\",\n\"items\":[ {\"kind\":\"A\",\"apiVersion\":\"v1\"},\n {\"kind\":\"B\",\"apiVersion\":\"v1\"}]}")
	f.Fuzz(func(t *testing.T, text string) {
		whole := split("x.yaml", []byte(text))
		for _, d := range whole {
			items := (&document{path: d.path, line: d.line, text: d.text}).cutItems()
			if items == nil {
				continue
			}
			cut := &document{path: d.path, line: d.line, text: d.text}
			for _, item := range items {
				item.parse()
			}
			cut.join(items)
			d.parse()
			if len(cut.objects) != len(d.objects) || len(cut.broken) != len(d.broken) || cut.skip != d.skip {
				t.Fatalf("%q: cut %d objects, broken %v, skip %q; whole %d, %v, %q", d.text, len(cut.objects), cut.broken, cut.skip, len(d.objects), d.broken, d.skip)
			}
			for i, o := range d.objects {
				if diff := cmp.Diff(o.Raw(), cut.objects[i].Raw()); diff != "" {
					t.Fatalf("%q: object %d (-whole +cut):\n%s", d.text, i, diff)
				}
				if a, b := o.At("kind").Position(), cut.objects[i].At("kind").Position(); a != b {
					t.Fatalf("%q: object %d stands at %s and at %s", d.text, i, a, b)
				}
			}
		}
	})
}

// TestListsAreCut: an item of a list is looked into without the others.
func TestListsAreCut(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"yaml":     "apiVersion: v1\nkind: List\nitems:\n# c\n- apiVersion: v1\n  kind: A\n- apiVersion: v1\n  kind: B\nmetadata: {}\n",
		"indented": "kind: ServiceList\napiVersion: v1\nitems:\n  - kind: A\n    apiVersion: v1\n  - kind: B\n    apiVersion: v1",
		"json":     "{\"kind\": \"List\", \"apiVersion\": \"v1\", \"items\": [{\"kind\": \"A\", \"apiVersion\": \"v1\"}, {\"kind\": \"B\", \"apiVersion\": \"v1\"}]}",
	} {
		for _, o := range readText(t, "x", text).Objects {
			if l := o.Origin.Locator.(*locator); len(l.text) > 45 {
				t.Errorf("%s: %s is looked for in %q", name, o, l.text)
			}
		}
	}
	// An anchor of another item, and a text that looks like one, need the whole document.
	for _, text := range []string{
		"apiVersion: v1\nkind: List\nitems:\n- &a\n  apiVersion: v1\n  kind: A\n- *a\n",
		"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: \"A\n- b\"\n- apiVersion: v1\n  kind: B\n",
	} {
		if files := readText(t, "x", text); len(files.Objects) != 2 || len(files.Broken) > 0 {
			t.Errorf("%q: %v, broken %v", text, refs(files), files.Broken)
		}
	}
}
