package cmd

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/meshctl/meshctl/internal/ui"
)

// tree is the whole command line, without streams.
func tree() *cobra.Command {
	return newRootCmd(newFactory(&ui.IO{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}))
}

func TestEveryCommandSaysWhatItDoesWithExamples(t *testing.T) {
	t.Parallel()
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help %q: want one phrase without full stop", c.CommandPath(), c.Short)
		}
		if !strings.Contains(c.Example, "meshctl ") {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for _, line := range strings.Split(c.Example, "\n") {
			if line != "" && !strings.HasPrefix(line, "  ") {
				t.Errorf("%s: example line %q is not indented", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(tree())
}

// TestReferenceIsUpToDate fails when docs/reference is not what `make docs` would write.
func TestReferenceIsUpToDate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root := tree()
	root.DisableAutoGenTag = true
	if err := doc.GenMarkdownTree(root, dir); err != nil {
		t.Fatal(err)
	}
	want, got := pages(t, dir), pages(t, filepath.Join("..", "docs", "reference"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/reference is stale, run `bin/meshctl docs docs/reference`:\n%s", diff)
	}
}

func pages(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(f)] = string(b)
	}
	return all
}
