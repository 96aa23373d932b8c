package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/test/bed"
)

// TestPackagesOnCluster runs those tests of the product's packages that need
// a real API server, and which `go test` without one skips.
func TestPackagesOnCluster(t *testing.T) {
	t.Parallel()
	b, err := bed.Start(t.Context(), bed.Options{NoEnvoy: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Down)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-v", "./internal/kube")
	cmd.Dir = repo
	cmd.Env = append(os.Environ(), "MESHCTL_TEST_KUBECONFIG="+b.Kubeconfig())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("a test was skipped, or none ran:\n%s", out)
	}
}
