package status

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

var update = flag.Bool("update", false, "rewrite what is expected")

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// TestReports judges the meshes in testdata. A file has "mesh" (see meshFile),
// "syncz/ISTIOD" with what that istiod answered, "objects/CONTEXT" with what was
// read of a cluster, and "FORMAT WISH ..." with what is to be printed then.
func TestReports(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m := readMesh(t, archive)
			changed := false
			for i, f := range archive.Files {
				words := strings.Fields(f.Name)
				if !slices.Contains([]string{"table", "wide", "json", "prometheus"}, words[0]) {
					continue
				}
				got := printed(t, New(m, wishOf(t, words[1:])), output.Format(words[0]))
				if got == string(f.Data) {
					continue
				}
				if *update {
					archive.Files[i].Data, changed = []byte(got), true
					continue
				}
				t.Errorf("%s: %s", f.Name, cmp.Diff(string(f.Data), got))
			}
			if changed {
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// meshFile is the file "mesh" of a test.
type meshFile struct {
	Istiods  []proxyconfig.IstiodSync `json:"istiods"`
	Clusters []struct {
		Name    string            `json:"name"`
		Error   string            `json:"error"`
		Skipped map[string]string `json:"skipped"`
	} `json:"clusters"`
}

func readMesh(t *testing.T, archive *txtar.Archive) *Mesh {
	t.Helper()
	m := &Mesh{Time: noon()}
	var file meshFile
	texts := map[string]string{}
	for _, f := range archive.Files {
		texts[f.Name] = string(f.Data)
	}
	if err := yaml.UnmarshalStrict([]byte(texts["mesh"]), &file); err != nil {
		t.Fatal(err)
	}
	m.Istiods = file.Istiods
	for i := range m.Istiods {
		istiod := &m.Istiods[i]
		if istiod.Error != "" {
			continue
		}
		proxies, err := proxyconfig.ParseSyncz(istiod.Name, strings.NewReader(texts["syncz/"+istiod.Name]))
		if err != nil {
			t.Fatal(err)
		}
		for j := range proxies {
			proxies[j].Context = istiod.Context
		}
		istiod.Proxies = len(proxies)
		m.Proxies = append(m.Proxies, proxies...)
	}
	for _, c := range file.Clusters {
		cluster := Cluster{Name: c.Name, Error: c.Error}
		options := mesh.Options{Cluster: c.Name}
		for _, kind := range mesh.Kinds() {
			if reason := c.Skipped[kind.Resource]; reason != "" {
				options.Skipped = append(options.Skipped, mesh.Skip{Kind: kind, Reason: reason})
			} else {
				options.Read = append(options.Read, kind)
			}
		}
		if cluster.Skipped = options.Skipped; c.Error == "" {
			cluster.View = mesh.New(objects(t, texts["objects/"+c.Name], c.Name), options)
		}
		m.Clusters = append(m.Clusters, cluster)
	}
	return m
}

func objects(t *testing.T, text, cluster string) []*mesh.Object {
	t.Helper()
	var all []*mesh.Object
	for document := range strings.SplitSeq("\n"+text, "\n---\n") {
		var raw map[string]any
		if err := yaml.Unmarshal([]byte(document), &raw); err != nil {
			t.Fatal(err)
		}
		if raw == nil {
			continue
		}
		kind, known := mesh.KindOf(raw["apiVersion"].(string), raw["kind"].(string))
		if !known {
			t.Fatalf("unknown kind in\n%s", document)
		}
		all = append(all, mesh.NewObject(kind, raw, mesh.Origin{Cluster: cluster}))
	}
	return all
}

// wishOf is a wish in words: --all, -n NAMESPACE, -r REVISION, --only WORDS.
func wishOf(t *testing.T, words []string) Wish {
	t.Helper()
	w := Wish{StaleAfter: 10 * time.Second}
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "--all":
			w.All = true
			continue
		case "-n":
			w.Namespace = words[i+1]
		case "-r":
			w.Revision = words[i+1]
		case "--only":
			only, err := ParseOnly(strings.Split(words[i+1], ","))
			if err != nil {
				t.Fatal(err)
			}
			w.Only = only
		default:
			t.Fatalf("unknown wish %q", words[i])
		}
		i++
	}
	return w
}

func printed(t *testing.T, d output.Document, f output.Format) string {
	t.Helper()
	var b bytes.Buffer
	if err := output.Write(&b, output.Options{Format: f}, d); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
