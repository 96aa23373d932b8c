package checks_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	root := istioSamples(t)
	samples, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	// Over whole samples: these hold alternatives of one object side by side, of
	// which a reader is to apply one. That they are defined twice is true, and
	// said; TestIstioSamplesDefineNothingTwice looks for it where it means something.
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
		analyzed += cleanSample(t, selected, path)
	}
	if analyzed < 300 {
		t.Errorf("only %d objects were analyzed", analyzed)
	}
}

// alternatives are the folders of samples whose files define one object each in
// their own way.
var alternatives = []string{
	"addons/extras", "bookinfo/gateway-api", "bookinfo/networking", "bookinfo/platform/kube", "helloworld", "helloworld/gateway-api",
	"httpbin", "multicluster", "tcp-echo", "tcp-echo/gateway-api",
}

// TestIstioSamplesDefineNothingTwice runs all checks over each file alone, and
// over each application as one applies it: a folder, unless it holds alternatives.
func TestIstioSamplesDefineNothingTwice(t *testing.T) {
	t.Parallel()
	root := istioSamples(t)
	files, folders := 0, map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(path) == ".yaml" {
			files++
			cleanSample(t, checks.All(), path)
			folders[filepath.Dir(path)] = append(folders[filepath.Dir(path)], path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder, paths := range folders {
		name, _ := filepath.Rel(root, folder)
		if len(paths) > 1 && !slices.Contains(alternatives, filepath.ToSlash(name)) {
			cleanSample(t, checks.All(), paths...)
		}
	}
	if files < 100 {
		t.Errorf("only %d files were analyzed", files)
	}
}

// genuine are the defects that the samples do have, by the end of the file's path.
var genuine = [][2]string{
	{"bookinfo/networking/fault-injection-details-v1.yaml", "IST0130"}, // its second route comes after one without match
	// Of two samples one defines the kind, and the other wants a newer version of it.
	{"security/spire-trust-domain-federation/cluster-federated-trust-domain.yaml", "IST0106"},
}

// istioSamples is where the module cache has Istio's samples.
func istioSamples(t *testing.T) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio").Output()
	if err != nil {
		t.Fatalf("finding istio.io/istio: %v", err)
	}
	return filepath.Join(strings.TrimSpace(string(dir)), "samples")
}

// cleanSample reports every error and warning in the files, and returns how
// many objects they hold; 0 when they hold no YAML of Kubernetes.
func cleanSample(t *testing.T, selected []*analyze.Check, paths ...string) int {
	t.Helper()
	files, err := kube.ReadFiles(context.Background(), paths, nil)
	if err != nil {
		return 0
	}
	for _, o := range files.Objects {
		o.InNamespace("default")
	}
	report, err := analyze.Run(context.Background(), mesh.New(files.Objects, mesh.Options{}), selected, analyze.Options{Threshold: analyze.Warning})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Findings {
		if slices.ContainsFunc(genuine, func(g [2]string) bool {
			return strings.HasSuffix(f.Position.File, filepath.FromSlash(g[0])) && f.Code == g[1]
		}) {
			continue
		}
		t.Errorf("%s: %s %s %s: %s: %s", f.Position, f.Severity, f.Code, f.Object, f.Field, f.Message)
	}
	for _, b := range files.Broken {
		t.Errorf("%s: %s", b.Position, b.Reason)
	}
	return len(files.Objects)
}
