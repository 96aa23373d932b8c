package checks_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// TestIstioSamplesAreClean: what Istio itself shows to newcomers has no errors
// and no warnings. The samples come from the module cache.
func TestIstioSamplesAreClean(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio").Output()
	if err != nil {
		t.Fatalf("finding istio.io/istio: %v", err)
	}
	root := filepath.Join(strings.TrimSpace(string(dir)), "samples")
	samples, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	// The samples hold alternatives of one object side by side, of which a
	// reader is to apply one: that they are defined twice is true, and said.
	selected, _ := analyze.Select(checks.All(), nil, []string{"defined-twice"})
	analyzed := 0
	for _, sample := range append(samples, nil) {
		path := root // all of them at once, last
		if sample != nil {
			path = filepath.Join(root, sample.Name())
			if !sample.IsDir() {
				continue
			}
		}
		files, err := kube.ReadFiles(context.Background(), []string{path}, nil)
		if err != nil {
			continue // a sample without YAML
		}
		for _, o := range files.Objects {
			o.InNamespace("default")
		}
		report, err := analyze.Run(context.Background(), mesh.New(files.Objects, mesh.Options{}), selected, analyze.Options{Threshold: analyze.Warning})
		if err != nil {
			t.Fatal(err)
		}
		analyzed += len(files.Objects)
		for _, f := range report.Findings {
			t.Errorf("%s: %s %s %s: %s: %s", f.Position, f.Severity, f.Code, f.Object, f.Field, f.Message)
		}
		for _, b := range files.Broken {
			t.Errorf("%s: %s", b.Position, b.Reason)
		}
	}
	if analyzed < 300 {
		t.Errorf("only %d objects were analyzed", analyzed)
	}
}
