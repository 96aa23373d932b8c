package checks_test

import (
	"context"
	"os"
	"testing"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
)

// BenchmarkRun runs all checks over the file that $BIG names.
func BenchmarkRun(b *testing.B) {
	path := os.Getenv("BIG")
	if path == "" {
		b.Skip("set BIG to a file with many objects")
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		files, err := kube.ReadFiles(context.Background(), []string{path}, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := analyze.Run(context.Background(), mesh.New(files.Objects, mesh.Options{}), checks.All(), analyze.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
