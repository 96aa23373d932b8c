package checks_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// TestHealthyMeshesAreClean: testdata/corpus holds meshes as they run in
// production, one in each folder. Nothing in them is wrong, whether or not they
// are said to be complete; what is worth knowing is pinned in infos.txt.
func TestHealthyMeshesAreClean(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob(filepath.Join("testdata", "corpus", "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) < 10 {
		t.Errorf("the corpus has only %d meshes", len(folders))
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			var infos bytes.Buffer
			for _, complete := range []bool{false, true} {
				fmt.Fprintf(&infos, "# complete: %t\n", complete)
				for _, f := range analyzeHealthy(t, folder, complete) {
					if f.Severity.AtLeast(analyze.Warning) {
						t.Errorf("complete %t: %s %s %s", complete, f.Position, f.Severity, told(f))
					}
					fmt.Fprintln(&infos, told(f))
				}
			}
			pin(t, filepath.Join(folder, "infos.txt"), infos.Bytes())
		})
	}
}

func analyzeHealthy(t *testing.T, folder string, complete bool) []*analyze.Finding {
	t.Helper()
	files, err := kube.ReadFiles(context.Background(), []string{folder}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range files.Broken {
		t.Errorf("%s: %s", b.Position, b.Reason)
	}
	for _, s := range files.Skipped {
		t.Errorf("%s is passed over: %s", s.Path, s.Reason)
	}
	for _, o := range files.Objects {
		o.InNamespace("default")
	}
	report, err := analyze.Run(context.Background(), mesh.New(files.Objects, mesh.Options{Complete: complete}), checks.All(), analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report.Findings
}

func told(f *analyze.Finding) string {
	return fmt.Sprintf("%s %s %s %s: %s", f.Code, f.Check, f.Object, f.Field, f.Message)
}

// pin compares with a file, which -update rewrites.
func pin(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites):\n%s", file, diff)
	}
}
