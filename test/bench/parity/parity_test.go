package parity

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestManifestParity renders every profile, and settings over them, with both
// tools: the objects must be equal field by field.
func TestManifestParity(t *testing.T) {
	t.Parallel()
	tools := buildTools(t)
	var rows []Row
	for _, c := range append(Profiles(), Variants()...) {
		row, err := tools.Run(t.Context(), c)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		rows = append(rows, row)
		for i, d := range row.Open {
			if i == 10 {
				t.Errorf("%s: and %d more", c.Name, len(row.Open)-i)
				break
			}
			t.Errorf("%s: %s", c.Name, d)
		}
		if !row.SameOrder {
			t.Errorf("%s: the objects are in another order", c.Name)
		}
	}
	t.Logf("parity with istioctl, in objects:\n%s", Table(rows))
}

// buildTools builds meshctl from this checkout and finds the peer in the cache.
func buildTools(t *testing.T) Tools {
	t.Helper()
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	istioctl := filepath.Join(root, ".cache", "bin", "istioctl")
	if _, err := os.Stat(istioctl); errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the peer is not built; run: make bed && %s build istioctl", filepath.Join(root, ".cache", "bin", "bed"))
	}
	meshctl := filepath.Join(t.TempDir(), "meshctl")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", meshctl, "./cmd/meshctl")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building meshctl: %v\n%s", err, out)
	}
	tools, err := NewTools(t.Context(), meshctl, istioctl)
	if err != nil {
		t.Fatal(err)
	}
	return tools
}
