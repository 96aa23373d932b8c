// Package e2e runs the commands of the README for real: the meshctl binary
// against a bed with a real API server, a real istiod and real Envoys.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// repo is the root of the checkout.
const repo = "../../.."

// result is what one run of a command left behind.
type result struct {
	stdout, stderr string
	code           int
}

// meshctl is the binary under test and the cluster it talks to.
type meshctl struct {
	binary, kubeconfig, home string
}

// build makes the binary from the checkout, once for all tests.
func build(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var built = sync.OnceValues(func() (string, error) {
	out, err := filepath.Abs(filepath.Join(repo, ".cache", "bin", "meshctl-e2e"))
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", out, "./cmd/meshctl")
	cmd.Dir = repo
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building meshctl: %w\n%s", err, b)
	}
	return out, nil
})

// run runs a command line, two minutes at most.
func (m meshctl) run(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.binary, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+m.kubeconfig, "HOME="+m.home, "XDG_CONFIG_HOME="+m.home, "NO_COLOR=1")
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("meshctl %s: %v", strings.Join(args, " "), err)
	}
	if ctx.Err() != nil {
		t.Fatalf("meshctl %s did not end within two minutes\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), &stdout, &stderr)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// want runs a command line and stops the test when its exit code is another.
func (m meshctl) want(t *testing.T, code int, args ...string) result {
	t.Helper()
	r := m.run(t, "", args...)
	if r.code != code {
		t.Fatalf("meshctl %s: exit code %d, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
	}
	return r
}

// eventually repeats a command line until its exit code is the wanted one,
// a minute at most.
func (m meshctl) eventually(t *testing.T, code int, args ...string) result {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		r := m.run(t, "", args...)
		if r.code == code {
			return r
		}
		if time.Now().After(deadline) {
			t.Fatalf("meshctl %s: exit code %d for a minute, want %d\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), r.code, code, r.stdout, r.stderr)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// contains checks that a text has every one of the lines or words.
func contains(t *testing.T, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s lacks %q:\n%s", what, w, text)
		}
	}
}

// decode reads a JSON result into v.
func decode(t *testing.T, r result, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.stdout), v); err != nil {
		t.Fatalf("stdout is not JSON: %v\n%s", err, r.stdout)
	}
}
