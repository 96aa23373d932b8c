package bed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"time"
)

// part is one Go module under build/ and the programs that come out of it in one go build.
type part struct {
	name     string   // "kubernetes"
	module   string   // folder under build/
	packages []string // each makes the binary its last element names
	rename   string   // the binary's name here, where the package's own says too little
	ldflags  string
	optional bool // built only when asked for by name
}

const (
	kubeVersion = "v1.36.3"
)

func parts() []part {
	kube := "-X k8s.io/component-base/version.gitVersion=" + kubeVersion +
		" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
	istio := "-X istio.io/istio/pkg/version.buildVersion=" + istioVersion + " -X istio.io/istio/pkg/version.buildStatus=Clean" +
		" -X istio.io/istio/pkg/version.buildGitRevision=eed52ebb66ad -X istio.io/istio/pkg/version.buildTag=" + istioVersion
	return []part{
		// One module, so that what these share is compiled once.
		{name: "kubernetes", module: "kubernetes", ldflags: kube, packages: []string{"k8s.io/kubernetes/cmd/kube-apiserver",
			"k8s.io/kubernetes/cmd/kube-controller-manager", "k8s.io/kubernetes/cmd/kube-scheduler", "k8s.io/kubernetes/cmd/kubectl"}},
		{name: "etcd", module: "kubernetes", packages: []string{"go.etcd.io/etcd/server/v3"}, rename: "etcd"},
		{name: "kwok", module: "kubernetes", packages: []string{"sigs.k8s.io/kwok/cmd/kwok"}},
		// The same versions as the product's, so that what both import is compiled once.
		{name: "istiod", module: "istio", ldflags: istio, packages: []string{"istio.io/istio/pilot/cmd/pilot-discovery"}},
		{name: "jaeger", module: "jaeger", packages: []string{"github.com/jaegertracing/jaeger/cmd/all-in-one"}, rename: "jaeger", optional: true},
		{name: "istioctl", module: "istio", ldflags: istio, packages: []string{"istio.io/istio/istioctl/cmd/istioctl"}, optional: true},
	}
}

func (p part) binaries() []string {
	if p.rename != "" {
		return []string{p.rename}
	}
	var names []string
	for _, pkg := range p.packages {
		names = append(names, filepath.Base(pkg))
	}
	return names
}

// Build makes the programs a bed runs, each once: a part whose sources have not changed is left alone. No name means
// all but istioctl and Jaeger, which take minutes and which few runs need. Concurrent calls, also from other processes, wait for each other.
func Build(ctx context.Context, log io.Writer, names ...string) error {
	l, err := findLayout()
	if err != nil {
		return err
	}
	if err := checkPartNames(names); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(l.cache, "bin"), 0o755); err != nil {
		return err
	}
	unlock, err := lockFile(ctx, filepath.Join(l.cache, "build.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	version, err := goVersion(ctx)
	if err != nil {
		return err
	}
	for _, p := range parts() {
		if slices.Contains(names, p.name) || len(names) == 0 && !p.optional {
			if err := p.build(ctx, l, version, log); err != nil {
				return err
			}
		}
	}
	for _, f := range fetched() {
		if slices.Contains(names, f.name) || len(names) == 0 {
			if err := f.ensure(ctx, l, log); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkPartNames(names []string) error {
	var known []string
	for _, p := range parts() {
		known = append(known, p.name)
	}
	for _, f := range fetched() {
		known = append(known, f.name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return fmt.Errorf("building %q: no such part, there are %s", n, strings.Join(known, ", "))
		}
	}
	return nil
}

func (p part) build(ctx context.Context, l layout, version string, log io.Writer) error {
	want, current, err := p.current(l, version)
	if err != nil || current {
		return err
	}
	out := l.bin("")
	if p.rename != "" {
		out = l.bin(p.rename)
	}
	start := time.Now()
	fmt.Fprintf(log, "building %s ...\n", strings.Join(p.binaries(), ", "))
	args := []string{"build", "-ldflags", strings.TrimSpace("-s -w " + p.ldflags), "-o", out}
	cmd := exec.CommandContext(ctx, "go", append(args, p.packages...)...)
	cmd.Dir = p.dir(l)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOWORK=off")
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", p.name, err, lastLines(string(b), 20))
	}
	fmt.Fprintf(log, "built %s in %.0f s\n", p.name, time.Since(start).Seconds())
	return os.WriteFile(p.stampFile(l), []byte(want), 0o644)
}

func (p part) present(l layout) bool {
	for _, b := range p.binaries() {
		if _, err := os.Stat(l.bin(b)); err != nil {
			return false
		}
	}
	return true
}

func (p part) dir(l layout) string       { return filepath.Join(l.repo, "test", "bed", "build", p.module) }
func (p part) stampFile(l layout) string { return l.bin("." + p.name + ".stamp") }

// current says whether the binaries are those that go build would make now, and what their stamp has to be.
func (p part) current(l layout, goVersion string) (stamp string, ok bool, err error) {
	stamp, err = p.stamp(p.dir(l), goVersion)
	if err != nil {
		return "", false, fmt.Errorf("building %s: %w", p.name, err)
	}
	got, err := os.ReadFile(p.stampFile(l))
	return stamp, err == nil && string(got) == stamp && p.present(l), nil
}

func goVersion(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN=local")
	version, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("asking go for its version: %w", err)
	}
	return string(version), nil
}

// checkBuilt is an error unless every program a bed runs is there and up to date.
func checkBuilt(ctx context.Context, l layout) error {
	version, err := goVersion(ctx)
	if err != nil {
		return err
	}
	for _, p := range parts() {
		if p.optional {
			continue
		}
		if _, ok, err := p.current(l, version); err != nil {
			return err
		} else if !ok {
			return fmt.Errorf("%s is not built, or from other sources: run `go run ./cmd/bed build` in test/bed", p.name)
		}
	}
	return nil
}

// stamp is a hash of all that decides what go build makes.
func (p part) stamp(dir, goVersion string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, goVersion, goruntime.GOOS, goruntime.GOARCH, p.packages, p.ldflags, p.rename)
	files, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	for _, f := range append(files, filepath.Join(dir, "go.mod"), filepath.Join(dir, "go.sum")) {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, filepath.Base(f), len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
