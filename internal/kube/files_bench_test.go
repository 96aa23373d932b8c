package kube

import (
	"context"
	"os"
	"testing"
)

func BenchmarkReadFiles(b *testing.B) {
	path := os.Getenv("BIG")
	if path == "" {
		b.Skip("set BIG to a file")
	}
	info, _ := os.Stat(path)
	b.SetBytes(info.Size())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadFiles(context.Background(), []string{path}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
