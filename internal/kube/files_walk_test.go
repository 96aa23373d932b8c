package kube

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/hint"
)

const serviceS = "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n"

func TestGlobs(t *testing.T) {
	t.Parallel()
	dir := unpack(t, `
-- a/one.yaml --
apiVersion: v1
kind: Service
metadata: {name: one}
-- a/b/two.yml --
apiVersion: v1
kind: Service
metadata: {name: two}
-- a/b/c/three.json --
{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "three"}}
-- a/notes.txt --
no object
-- chart/Chart.yaml --
apiVersion: v2
-- chart/templates/x/t.yaml --
kind: {{ .Values.kind }}
`)
	for pattern, want := range map[string][]string{
		"**/*.yaml":         {"Service one"},
		"a/**":              {"Service two", "Service three", "Service one"},
		"a/**/*.{yml,json}": {"Service three", "Service two"},
		"*/b":               {"Service three", "Service two"},
		"a/*":               {"Service three", "Service two", "Service one"},
		"a/[a-o]*.yaml":     {"Service one"},
	} {
		got := refs(readDir(t, dir, pattern))
		if len(got) != len(want) || !sameSet(got, want) {
			t.Errorf("%s: %v, want %v", pattern, got, want)
		}
	}
	if got := refs(readDir(t, dir, "a", "a/one.yaml", "**/one.yaml")); !sameSet(got, []string{"Service one", "Service three", "Service two"}) {
		t.Errorf("a file is read twice: %v", got)
	}
	if got := said(dir, readDir(t, dir, "**/*.yaml")); !cmp.Equal(got, []string{"skipped chart/Chart.yaml: it describes a Helm chart", "skipped chart/templates/x/t.yaml: " + chartTemplate}) {
		t.Errorf("said %v", got)
	}
	for _, none := range []string{"**/*.toml", "a/*.txt", "nowhere/*", "a/[*.yaml"} {
		_, err := ReadFiles(context.Background(), []string{filepath.Join(dir, none)}, nil)
		if err == nil || hint.ClassOf(err) != hint.Unanswerable {
			t.Errorf("%s: %v", none, err)
		}
	}
}

func sameSet(a, b []string) bool {
	count := map[string]int{}
	for _, s := range a {
		count[s]++
	}
	for _, s := range b {
		count[s]--
	}
	for _, n := range count {
		if n != 0 {
			return false
		}
	}
	return true
}

// What is no file, or no readable one, below a directory is named and spoils
// nothing else; links that lead in circles are not followed.
func TestOddFilesBelowADirectory(t *testing.T) {
	t.Parallel()
	dir := unpack(t, "-- ok.yaml --\n"+serviceS+"-- closed.yaml --\n"+serviceS+"-- shut/x.yaml --\n"+serviceS)
	link := func(to, name string) {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("loop.yaml", "loop.yaml")
	link("nowhere.yaml", "dangling.yaml")
	link(".", "again")
	link("..", "up.yaml")
	link("/dev/zero", "zero.yaml")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"skipped pipe.yaml: it is a named pipe",
		"skipped zero.yaml: it is a device",
		"broken dangling.yaml: no such file or directory",
		"broken loop.yaml: too many levels of symbolic links",
	}
	if os.Getuid() != 0 { // root reads everything
		_ = os.Chmod(filepath.Join(dir, "closed.yaml"), 0)
		_ = os.Chmod(filepath.Join(dir, "shut"), 0)
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, "shut"), 0o700) })
		want = append(want, "broken closed.yaml: permission denied", "broken shut: permission denied")
	}
	files := readDir(t, dir)
	if got := said(dir, files); !sameSet(got, want) {
		t.Errorf("said (-want +got):\n%s", cmp.Diff(want, got))
	}
	if len(files.Objects) == 0 || files.Objects[len(files.Objects)-1].Name != "s" {
		t.Errorf("objects %v", refs(files))
	}
}

func TestPipesAndDevicesThatAreNamed(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	// A pipe that nobody writes to ends with the deadline.
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := ReadFiles(ctx, []string{pipe}, nil); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("a silent pipe: %v", err)
	}
	silent, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = w.Close(), silent.Close() }()
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := ReadFiles(ctx, []string{"-"}, silent); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("a silent stdin: %v", err)
	}
	// <(helm template ...)
	full := filepath.Join(t.TempDir(), "full")
	if err := syscall.Mkfifo(full, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = os.WriteFile(full, []byte(serviceS), 0) }()
	files, err := ReadFiles(context.Background(), []string{full}, nil)
	if err != nil || len(files.Objects) != 1 {
		t.Errorf("a pipe: %v", err)
	}
	for _, device := range []string{"/dev/zero", "/dev/null"} {
		if _, err := ReadFiles(context.Background(), []string{device}, nil); err == nil || !strings.Contains(err.Error(), "it is a device") {
			t.Errorf("%s: %v", device, err)
		}
	}
	sparse := filepath.Join(t.TempDir(), "sparse.yaml")
	if err := os.WriteFile(sparse, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFiles(context.Background(), []string{sparse}, nil); err == nil || !strings.Contains(err.Error(), "larger than 1 GiB") {
		t.Errorf("a huge file: %v", err)
	}
}

// A shell expands *.yaml to values files and templates, too: they spoil
// nothing as long as something else is there.
func TestNamedFilesWithoutObjects(t *testing.T) {
	t.Parallel()
	dir := unpack(t, "-- s.yaml --\n"+serviceS+"---\n# part of a chart\n{{- if .Values.x }}\nkind: A\n{{- end }}\n---\nspec: 7\n---\napiVersion: v1\nkind: Service\nmetadata: {name: r}\n$patch: delete\n"+
		"-- values.yaml --\nhub: x\n-- t.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: '{{ .Values.name }}'}\n"+
		"-- u.yaml --\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: {hosts: ['{{ .Values.host }}']}\n"+
		"-- w.yaml --\napiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w}\nspec: {args: ['{{ .Values.host }}']}\n")
	files := readDir(t, dir, "s.yaml", "t.yaml", "u.yaml", "values.yaml", "w.yaml")
	if got := refs(files); !cmp.Equal(got, []string{"Service s", "Workflow w"}) {
		t.Errorf("objects %v", got)
	}
	want := []string{"skipped s.yaml: " + template, "skipped s.yaml: " + noObject, "skipped s.yaml: " + patchOnly, "skipped t.yaml: " + template, "skipped u.yaml: " + template, "skipped values.yaml: " + noObject}
	if got := said(dir, files); !cmp.Equal(want, got) {
		t.Errorf("said (-want +got):\n%s", cmp.Diff(want, got))
	}
	if files.Skipped[0].Line != 4 {
		t.Errorf("the template begins at line %d", files.Skipped[0].Line)
	}
}

// endless is input without end; it counts what was read of it.
type endless struct {
	text []byte
	read int
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = e.text[i%len(e.text)]
	}
	e.read += len(b)
	return len(b), nil
}

func TestInputWithoutEndIsRefusedEarly(t *testing.T) {
	t.Parallel()
	zero := &endless{text: []byte{0}}
	if _, err := ReadFiles(t.Context(), []string{"-"}, zero); err == nil || !strings.Contains(err.Error(), "no text") || zero.read > 1<<20 {
		t.Errorf("%v after %d bytes", err, zero.read)
	}
	yes := &endless{text: []byte("y\n")}
	if _, err := readToEnd(t.Context(), yes, 1<<20); !errors.Is(err, errTooLarge) || yes.read > 4<<20 {
		t.Errorf("%v after %d bytes", err, yes.read)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	yes.read = 0
	if _, err := readToEnd(ctx, yes, 1<<30); !errors.Is(err, context.Canceled) || yes.read > 1<<20 {
		t.Errorf("%v after %d bytes", err, yes.read)
	}
	text, err := readToEnd(t.Context(), strings.NewReader(strings.Repeat("kind: A\n", 100_000)), 1<<20)
	if err != nil || len(text) != 800_000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}
