package snapshot

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/mesh"
)

func file(name, text string) *File {
	return &File{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
}

// withFiles is a snapshot with files, one of which is larger than a part and
// one of which can't be read.
func withFiles() *Snapshot {
	return &Snapshot{
		Taken: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), By: "1.0.0", IstioNamespace: "mesh",
		Clusters: []mesh.Cluster{{Name: "east"}, {Name: "west"}},
		Inventories: []Inventory{{}, {
			Kubernetes: "v1.36.3", LeftOut: 7, Notes: []string{"istiod b does not answer"},
			Proxies: []Proxy{{Name: "web-1", Namespace: "shop", Workload: "deployment/web", Labels: map[string]string{"app": "web"}, Why: "named"}},
			Files: []*File{
				file("proxies/web-1.shop/config_dump.json", strings.Repeat("0123456789abcdef", filePart/16*2+100)),
				{Name: "proxies/web-1.shop/clusters.json", Open: func() (io.ReadCloser, error) { return nil, errors.New("it does\nnot answer") }},
				file("empty", ""),
			},
		}},
	}
}

func TestFilesRoundTrip(t *testing.T) {
	t.Parallel()
	s := withFiles()
	path := filepath.Join(t.TempDir(), "mesh.snapshot")
	if err := Save(path, s); err != nil {
		t.Fatal(err)
	}
	got, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := Inventory{
		Kubernetes: "v1.36.3", LeftOut: 7, Notes: s.Inventories[1].Notes, Proxies: s.Inventories[1].Proxies,
		Files: []*File{
			{Name: "proxies/web-1.shop/config_dump.json", Bytes: filePart*2 + 1600, Parts: 3},
			{Name: "proxies/web-1.shop/clusters.json", Error: "it does not answer"},
			{Name: "empty", Parts: 1},
		},
	}
	if d := cmp.Diff(want, got.Inventories[1], cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Open" }, cmp.Ignore())); d != "" {
		t.Errorf("(-saved +read):\n%s", d)
	}
	body, err := got.File(1, "proxies/web-1.shop/config_dump.json")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(body)
	if err != nil || string(text) != strings.Repeat("0123456789abcdef", filePart/16*2+100) {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	for name, says := range map[string]string{"proxies/web-1.shop/clusters.json": "it does not answer", "nothing": "is not in the snapshot"} {
		if _, err := got.File(1, name); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := got.File(0, "empty"); err == nil {
		t.Error("a file of another cluster is found")
	}
}

// TestFilesAreParts: each part can be read alone with tar, and a reader of an
// older version passes over them.
func TestFilesAreParts(t *testing.T) {
	t.Parallel()
	zip, err := gzip.NewReader(bytes.NewReader(written(t, withFiles())))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if h.Size > filePart {
			t.Errorf("%s has %d bytes", h.Name, h.Size)
		}
	}
	want := []string{
		"snapshot.json", "clusters/0/cluster.json", "clusters/0/inventory.json", "clusters/1/cluster.json",
		"clusters/1/proxies/web-1.shop/config_dump.json", "clusters/1/proxies/web-1.shop/config_dump.json.0001", "clusters/1/proxies/web-1.shop/config_dump.json.0002",
		"clusters/1/empty", "clusters/1/inventory.json", "end.json",
	}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
}

func TestCutFilesAreAnError(t *testing.T) {
	t.Parallel()
	whole := written(t, withFiles())
	for n := 0; n < len(whole); n += 1 + len(whole)/8 {
		if _, err := Read(bytes.NewReader(whole[:n])); err == nil {
			t.Fatalf("the first %d of %d bytes are read as a whole snapshot", n, len(whole))
		}
	}
	s, err := Read(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.File(1, "empty"); err == nil {
		t.Error("a stream's files can't be opened again")
	}
}

func TestTooMuch(t *testing.T) {
	t.Parallel()
	s := withFiles()
	p := &parts{tar: tar.NewWriter(io.Discard), s: s, known: map[string]string{}, limit: 1000}
	if err := p.inventory("clusters/1/", &s.Inventories[1]); err != nil {
		t.Fatal(err)
	}
	if f := s.Inventories[1].Files[2]; !strings.Contains(f.Error, "left out: the snapshot has 16 MB already") {
		t.Errorf("%+v", f)
	}
}

// TestInterrupted: who is interrupted leaves no file.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	s := withFiles()
	s.Inventories[1].Files[1].Open = func() (io.ReadCloser, error) { return nil, context.Canceled }
	dir := t.TempDir()
	if err := Save(filepath.Join(dir, "mesh.snapshot"), s); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
	for in, want := range map[string]string{
		"connected to 10.0.0.1:80":                                                  "connected to 10.0.0.1:80",
		"header authorization: Bearer abcdefgh123":                                  "header authorization: Bearer REDACTED",
		"token " + token + " expired":                                               "token REDACTED expired",
		"GET https://me:pass@example.com/x":                                         "GET https://REDACTED@example.com/x",
		"a\n-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nb": "a\nREDACTED\nb",
		"-----BEGIN PRIVATE KEY-----\ncut off":                                      "REDACTED",
		`{"password": "hunter2"}`:                                                   `{"password": "REDACTED"}`,
	} {
		if got := Text(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
