package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocsNameRealTests holds the tables of the docs to their word: every test
// or script that a row names as its proof is there.
func TestDocsNameRealTests(t *testing.T) {
	t.Parallel()
	sources := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			text, err := os.ReadFile(path)
			sources[path] = string(text)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	quoted := regexp.MustCompile("`([^`]+)`")
	for _, page := range []string{"../docs/install-compared.md", "../docs/proxies-compared.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
			if !strings.HasPrefix(line, "| ") || len(cells) != 6 || strings.TrimSpace(cells[5]) == "proof" {
				continue
			}
			rows++
			proofs := quoted.FindAllStringSubmatch(cells[5], -1)
			if len(proofs) == 0 {
				t.Errorf("%s: no proof: %s", page, line)
			}
			for _, p := range proofs {
				if !proven(sources, p[1]) {
					t.Errorf("%s: there is no %s", page, p[1])
				}
			}
		}
	}
	if rows < 25 {
		t.Errorf("only %d rows were read", rows)
	}
}

// proven says whether a test, a subtest or a script exists.
func proven(sources map[string]string, proof string) bool {
	if strings.HasSuffix(proof, ".txtar") {
		_, err := os.Stat(filepath.Join("..", proof))
		return err == nil
	}
	test, sub, _ := strings.Cut(proof, "/")
	for _, text := range sources {
		if strings.Contains(text, "func "+test+"(t *testing.T)") {
			return sub == "" || strings.Contains(text, `"`+strings.ReplaceAll(sub, "_", " ")+`"`)
		}
	}
	return false
}
