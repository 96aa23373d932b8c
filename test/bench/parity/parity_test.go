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
	cases := append(Profiles(), Variants()...)
	rows := make([]Row, len(cases))
	t.Run("cases", func(t *testing.T) { // returns when all of its parallel cases are done
		for i, c := range cases {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				row, err := tools.Run(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				rows[i] = row
				for i, d := range row.Open {
					if i == 10 {
						t.Errorf("and %d more", len(row.Open)-i)
						break
					}
					t.Error(d)
				}
				if !row.SameOrder {
					t.Error("the objects are in another order")
				}
			})
		}
	})
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
