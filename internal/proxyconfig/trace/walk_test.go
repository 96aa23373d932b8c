package trace

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/proxyconfig"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestWalks traces the requests of every archive below testdata/walk, in
// client.json and server.json, and compares with what people read of it.
func TestWalks(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/walk/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("%d archives, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string][]byte{}
			for _, f := range a.Files {
				files[f.Name] = f.Data
			}
			for i := range a.Files {
				name, ok := strings.CutSuffix(a.Files[i].Name, ".want")
				if !ok {
					continue
				}
				got := walkText(t, files, string(files[name]))
				if *update {
					a.Files[i].Data = []byte(got)
				} else if got != string(a.Files[i].Data) {
					t.Errorf("%s: got\n%s\nwant\n%s", name, got, a.Files[i].Data)
				}
			}
			if *update {
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func readDump(t testing.TB, name string, text []byte) *Dump {
	t.Helper()
	if text == nil {
		return nil
	}
	d, err := ReadDump(proxyconfig.Source{Name: name, Reader: bytes.NewReader(text)})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func walkText(t *testing.T, files map[string][]byte, words string) string {
	t.Helper()
	r, err := ParseWords(shellWords(words))
	if err != nil {
		t.Fatal(err)
	}
	report := Run(readDump(t, "client", files["client.json"]), readDump(t, "server", files["server.json"]), r)
	for _, format := range output.Formats() {
		var b bytes.Buffer
		if err := output.Write(&b, output.Options{Format: format}, report); err != nil {
			t.Error(err)
		}
		if strings.Contains(b.String(), ": null") {
			t.Errorf("null in %s of %s:\n%s", format, words, b.String())
		}
	}
	plain := func(_ output.Tone, s string) string { return s }
	outcome, err := json.Marshal(map[string]any{"kind": report.Outcome.Kind, "status": report.Outcome.Status, "flags": report.Outcome.Flags, "route": report.Outcome.Route, "reached": report.Reached()})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(report.Text(plain), "\n") + "\n" + string(outcome) + "\n"
}

func FuzzTrace(f *testing.F) {
	paths, _ := filepath.Glob("testdata/walk/*.txtar")
	for _, path := range paths {
		if a, err := txtar.ParseFile(path); err == nil {
			for _, file := range a.Files {
				if strings.HasSuffix(file.Name, ".json") {
					f.Add(file.Data, "GET http://catalog/api/x?y -H 'x-user: alice'")
					f.Add(file.Data, "tcp://catalog:5432")
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, words string) {
		r, err := ParseWords(shellWords(words))
		if err != nil {
			return
		}
		d, err := ReadDump(proxyconfig.Source{Name: "f", Reader: bytes.NewReader(text)})
		if err != nil {
			return
		}
		for _, report := range []*Report{Run(d, d, r), Run(d, nil, r), Run(nil, d, r), {Request: r, Client: Gateway(d, r)}} {
			for _, format := range output.Formats() {
				var b bytes.Buffer
				if err := output.Write(&b, output.Options{Format: format}, report); err != nil {
					t.Errorf("as %s: %v", format, err)
				}
			}
		}
	})
}
