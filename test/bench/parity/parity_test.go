package parity

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestManifestParity renders every profile, and settings over them, with both
// tools: the objects must be equal field by field.
func TestManifestParity(t *testing.T) {
	t.Parallel()
	tools := builtTools(t)
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

// compare runs the cases and fails for each open difference; repro is what to
// tell besides.
func compare(t *testing.T, cases []Case, repro func(Case) string) {
	t.Helper()
	tools := builtTools(t)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			row, err := tools.Run(t.Context(), c)
			if err != nil {
				t.Fatalf("%v\n%s", err, repro(c))
			}
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
			if t.Failed() {
				t.Log(repro(c))
			}
		})
	}
}

// asTyped is a case as one would give it on a command line.
func asTyped(c Case) string {
	var b strings.Builder
	b.WriteString("manifest generate")
	for _, a := range c.Args {
		fmt.Fprintf(&b, " %q", a)
	}
	for i := range c.Files {
		fmt.Fprintf(&b, " -f %d.yaml", i)
	}
	for i, f := range c.Files {
		fmt.Fprintf(&b, "\n--- %d.yaml\n%s", i, document(f))
	}
	return b.String()
}

func TestEveryProfilePlatformAndVersion(t *testing.T) {
	t.Parallel()
	compare(t, Matrix(*full), asTyped)
}

func TestEverySetting(t *testing.T) {
	t.Parallel()
	compare(t, EverySetting(*full), asTyped)
}

// TestRandomInputs composes inputs at random; a failure prints the input.
func TestRandomInputs(t *testing.T) {
	t.Parallel()
	var cases []Case
	for i := range *seeds {
		cases = append(cases, Random(*seed+i))
	}
	compare(t, cases, asTyped)
}

// TestManifestsDirectory renders from a directory with a chart and a profile of its own.
func TestManifestsDirectory(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio")
	list.Dir = "../../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(strings.TrimSpace(string(out)), "manifests"))); err != nil {
		t.Fatal(err)
	}
	own := "spec: {components: {egressGateways: [{name: own, enabled: true}]}, values: {pilot: {cni: {enabled: true}, autoscaleMin: 3}}}"
	for name, text := range map[string]string{
		"profiles/own.yaml":            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\n" + own + "\n",
		"charts/base/templates/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: own-chart}\ndata: {min: {{ .Values.global.hub | quote }}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	compare(t, []Case{
		{Name: "own profile", Args: []string{"--manifests", dir, "--set", "profile=own"}},
		{Name: "by setting", Args: []string{"--set", "installPackagePath=" + dir, "--set", "profile=minimal", "--set", "values.profile=demo"}},
	}, asTyped)
}

// TestJudgements proves what is said about inputs that the tools judge or
// render differently: a line that is no longer true fails.
func TestJudgements(t *testing.T) {
	t.Parallel()
	tools := builtTools(t)
	check := func(c Case, oursTakes, peerTakes bool) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			c.set("components.base.enabled=false") // spares the CRDs
			ours, peer, err := tools.Refusals(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if oursTakes != (ours == "") {
				t.Errorf("meshctl takes it: %v, want %v. %s", !oursTakes, oursTakes, ours)
			}
			if peerTakes != (peer == "") {
				t.Errorf("istioctl takes it: %v, want %v. %s", !peerTakes, peerTakes, peer)
			}
			if !oursTakes && !strings.Contains(ours, "exit status 2") {
				t.Errorf("a refusal is exit code 2, got %s", ours)
			}
		})
	}
	for _, c := range Rejected() {
		check(c, false, false)
	}
	for _, j := range Stricter() {
		check(j.Case, false, true)
	}
	for _, j := range Laxer() {
		check(j.Case, true, false)
	}
	for _, j := range Divergent() {
		t.Run(j.Name, func(t *testing.T) {
			t.Parallel()
			j.set("components.base.enabled=false")
			row, err := tools.Run(t.Context(), j.Case)
			if err != nil {
				t.Fatal(err)
			}
			if len(row.Result.Differences) == 0 {
				t.Error("there is no difference any more")
			}
		})
	}
}

func TestDifferencesAreWrittenDown(t *testing.T) {
	t.Parallel()
	const page = "../../../docs/differences.md"
	want := Differences()
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what judged.go says; run this test with -update", page)
	}
}

var (
	full   = flag.Bool("full", false, "compare every profile with every platform and version, and every setting alone")
	seeds  = flag.Uint64("seeds", 12, "how many random inputs to compare")
	seed   = flag.Uint64("seed", 0, "the first of their seeds")
	update = flag.Bool("update", false, "rewrite docs/differences.md")
)

// built has the tools, which all tests share.
var built struct {
	once  sync.Once
	tools Tools
	err   error
	dir   string
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// builtTools are meshctl from this checkout, and the peer in the cache.
func builtTools(t *testing.T) Tools {
	t.Helper()
	built.once.Do(func() { built.tools, built.err = buildTools() })
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.tools
}

func buildTools() (Tools, error) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		return Tools{}, err
	}
	istioctl := filepath.Join(root, ".cache", "bin", "istioctl")
	if _, err := os.Stat(istioctl); errors.Is(err, fs.ErrNotExist) {
		return Tools{}, fmt.Errorf("the peer is not built; run: make bed && %s build istioctl", filepath.Join(root, ".cache", "bin", "bed"))
	}
	if built.dir, err = os.MkdirTemp("", "parity-"); err != nil {
		return Tools{}, err
	}
	meshctl := filepath.Join(built.dir, "meshctl")
	build := exec.Command("go", "build", "-o", meshctl, "./cmd/meshctl")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return Tools{}, fmt.Errorf("building meshctl: %w\n%s", err, out)
	}
	return NewTools(context.Background(), meshctl, istioctl)
}
