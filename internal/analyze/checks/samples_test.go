package checks_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// TestTheDemoIsClean: what meshctl ships must not make meshctl complain, and
// the demo's broken canary has exactly the two faults that it shows.
func TestTheDemoIsClean(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		files []string
		want  []string
	}{
		"the shop":             {files: []string{"shop.yaml", "mesh.yaml"}, want: []string{}},
		"with a broken canary": {files: []string{"shop.yaml", "mesh.yaml", "broken.yaml"}, want: []string{"missing-subset VirtualService shop/catalog", "missing-host VirtualService shop/catalog"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := analyzeSample(t, test.files)
			got := []string{}
			for _, f := range report.Findings {
				if f.Severity.AtLeast(analyze.Warning) {
					got = append(got, f.Check+" "+f.Object.String())
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func analyzeSample(t *testing.T, files []string) *analyze.Report {
	t.Helper()
	var texts []kube.Text
	for _, file := range files {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "test", "demo", file))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, kube.Text{Path: file, Text: data})
	}
	read, err := kube.ReadTexts(context.Background(), texts)
	if err != nil {
		t.Fatal(err)
	}
	report, err := analyze.Run(context.Background(), mesh.New(read.Objects, mesh.Options{}), checks.All(), analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return report
}
