package cmd

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube/apitest"
)

var console = regexp.MustCompile("(?s)```console\n(.*?)```\n")

// TestAnalyzePage runs the commands of docs/analyze.md, in their order, on
// docs/examples/analyze: the page shows what they print. -update rewrites it.
func TestAnalyzePage(t *testing.T) {
	t.Parallel()
	const page = "../docs/analyze.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	run := pageShell(t, "../docs/examples/analyze")
	got := console.ReplaceAllStringFunc(string(text), func(block string) string {
		var b strings.Builder
		b.WriteString("```console\n")
		for line := range strings.Lines(block) {
			if command, is := strings.CutPrefix(line, "$ "); is {
				b.WriteString(line + run(command))
			}
		}
		return b.String() + "```\n"
	})
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	// A new check changes no example but this number.
	checks := regexp.MustCompile(`[0-9]{3} checks`)
	got, want := checks.ReplaceAllString(got, "... checks"), checks.ReplaceAllString(string(text), "... checks")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s shows something else than the commands print; go test ./cmd -run TestAnalyzePage -update\n%s", page, diff)
	}
}

// pageShell runs commands in a copy of a folder, with meshctl on the PATH and a
// cluster for each file of its folder clusters.
func pageShell(t *testing.T, examples string) (run func(command string) string) {
	t.Helper()
	dir, home := t.TempDir(), t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(examples)); err != nil {
		t.Fatal(err)
	}
	urls := map[string]string{}
	names := []string{"east", "west"}
	for _, name := range names {
		objects, err := os.ReadFile(filepath.Join(examples, "clusters", name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		server, err := apitest.New(string(objects))
		if err != nil {
			t.Fatal(err)
		}
		urls[name] = server.Start(t)
	}
	config, err := apitest.Kubeconfig(home, names, urls)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(home, "meshctl"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return func(command string) string {
		c := exec.Command("sh", "-c", command)
		c.Dir = dir
		c.Env = []string{"PATH=" + home + ":" + os.Getenv("PATH"), "HOME=" + home, "KUBECONFIG=" + config, "NO_COLOR=1"}
		out, err := c.CombinedOutput()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return string(out)
	}
}
