package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshctl/meshctl/test/bench/measure"
	"github.com/meshctl/meshctl/test/bench/meshgen"
)

// slowRounds are the counted runs of what takes the peer a minute each.
const slowRounds = 3

// findings are the exit codes of the two programs for findings.
func findings() []int { return []int{1, 79} }

// fileWorks are analyses of generated meshes from files. clean removes the
// files, whatever came of it.
func fileWorks(o options) (works []measure.Work, clean func(), err error) {
	dir, err := os.MkdirTemp("", "meshctl-bench-")
	if err != nil {
		return nil, func() {}, fmt.Errorf("making a directory for the meshes: %w", err)
	}
	clean = func() { _ = os.RemoveAll(dir) }
	for _, m := range []struct {
		what     string
		generate func(io.Writer, int) (meshgen.Counts, error)
		n        int
		rounds   int
	}{
		{"services", meshgen.Services, 100, 0},
		{"services", meshgen.Services, 1000, 0},
		{"services", meshgen.Services, 5000, 0},
		{"routes", meshgen.Routes, 1000, 0},
		{"routes", meshgen.Routes, 2000, 0},
		{"routes", meshgen.Routes, 4000, slowRounds},
		{"routes", meshgen.Routes, 8000, slowRounds},
	} {
		name := fmt.Sprintf("analyze %s %s, files", thousands(m.n), m.what)
		if !strings.Contains(name, o.only) {
			continue
		}
		path := filepath.Join(dir, fmt.Sprintf("%s-%d.yaml", m.what, m.n))
		if err := generateFile(path, m.generate, m.n); err != nil {
			return nil, clean, err
		}
		works = append(works, measure.Work{
			Name: name, Rounds: m.rounds, Exits: findings(),
			Ours: []string{o.meshctl, "analyze", "-A", path},
			Peer: []string{o.istioctl, "analyze", "-A", "--use-kube=false", path},
		})
	}
	return works, clean, nil
}

func generateFile(path string, generate func(io.Writer, int) (meshgen.Counts, error), n int) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("writing a mesh: %w", err)
	}
	if _, err := generate(f, n); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
