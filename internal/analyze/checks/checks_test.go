package checks_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/mesh"
	"github.com/meshctl/meshctl/internal/output"
)

var update = flag.Bool("update", false, "rewrite the want file of every case")

// TestCases runs every check over its cases; internal/analyze/doc.go tells
// what a case looks like.
func TestCases(t *testing.T) {
	t.Parallel()
	all := checks.Known()
	for _, c := range all {
		if c.Name == "update-incompatibility" {
			continue // what it reports comes from the command, whose scripts have its cases
		}
		files, err := filepath.Glob(filepath.Join("*", "testdata", c.Name, "*.txtar"))
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			touched := newTouched()
			seen := map[string]bool{}
			for _, file := range files {
				name := strings.TrimSuffix(filepath.Base(file), ".txtar")
				kind, _, _ := strings.Cut(name, "-")
				if kind != "bad" && kind != "good" {
					t.Errorf("%s: a case is named bad, good, bad-what or good-what", file)
				}
				seen[kind] = true
				if text, err := os.ReadFile(file); name == kind && (err != nil || bytes.Count(text, []byte("\n")) > exampleLines) {
					t.Errorf("%s has over %d lines (%v): explain shows it; a longer case is %s-what", file, exampleLines, err, kind)
				}
				runCase(t, c, file, kind == "bad", touched)
			}
			if !seen["bad"] || !seen["good"] {
				t.Errorf("testdata/%s needs bad.txtar and good.txtar", c.Name)
			}
			declared := slices.Concat(c.Reads, c.Uses)
			slices.SortFunc(declared, mesh.Kind.Compare)
			if diff := cmp.Diff(kindNames(declared), kindNames(touched.sorted())); diff != "" {
				t.Errorf("Reads and Uses are not the kinds that the check asks for (-declared +asked):\n%s", diff)
			}
		})
	}
	t.Run("every folder belongs to a check", func(t *testing.T) {
		t.Parallel()
		dirs, _ := filepath.Glob(filepath.Join("*", "testdata", "*"))
		for _, dir := range dirs {
			if !slices.ContainsFunc(all, func(c *analyze.Check) bool { return c.Name == filepath.Base(dir) }) {
				t.Errorf("%s: no check has this name", dir)
			}
		}
	})
}

// exampleLines is how long the cases may be that explain shows.
const exampleLines = 60

func runCase(t *testing.T, c *analyze.Check, file string, bad bool, touched *touched) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	snapshots, want := load(t, file, archive)
	with, watch := others(t, file, archive.Comment), touched.add
	if len(with) > 0 {
		watch = func(mesh.Kind) {} // what they ask for is not what c asks for
	}
	for i := range snapshots {
		snapshots[i] = snapshots[i].Watched(watch)
	}
	report, err := analyze.RunAll(context.Background(), snapshots, append(with, c), wishes(t, file, archive))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if bad && len(report.Findings) == 0 {
		t.Errorf("%s: the check reports nothing", file)
	}
	if !bad && len(report.Findings) > 0 {
		t.Errorf("%s: the check reports %d findings", file, len(report.Findings))
	}
	var got bytes.Buffer
	if err := output.Write(&got, output.Options{}, report); err != nil {
		t.Fatal(err)
	}
	for _, u := range report.Undecided {
		fmt.Fprintf(&got, "undecided: %d for want of %s %s\n", u.Count, u.Kind, u.Namespace)
	}
	if *update {
		rewrite(t, file, archive, got.Bytes())
		return
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites):\n%s", file, diff)
	}
}

// load makes the snapshots of a case, mostly one. The archive's comment may hold
// a line "options: complete live live-in=shop,web istio-namespace=mesh now=2026-11-23". With
// "clusters" the files of each folder are what was read of one cluster.
func load(t *testing.T, file string, archive *txtar.Archive) ([]*mesh.Snapshot, string) {
	t.Helper()
	var texts []kube.Text
	want := ""
	for _, f := range archive.Files {
		if f.Name == "want" {
			want = string(f.Data)
			continue
		}
		if f.Name == ".meshctl.yaml" {
			continue
		}
		texts = append(texts, kube.Text{Path: f.Name, Text: f.Data})
	}
	files, err := kube.ReadTexts(context.Background(), texts)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, b := range files.Broken {
		t.Errorf("%s: %s: %s", file, b.Position, b.Reason)
	}
	for _, s := range files.Skipped {
		t.Errorf("%s: %s is passed over: %s", file, s.Path, s.Reason)
	}
	for _, o := range files.Objects {
		o.InNamespace("default")
	}
	options := caseOptions(t, file, archive.Comment)
	if !bytes.Contains(archive.Comment, []byte("options: clusters")) {
		return []*mesh.Snapshot{mesh.New(files.Objects, options)}, want
	}
	return mesh.Views(clustersOf(files.Objects), false, options), want
}

// clustersOf sorts objects into clusters, by the folders of their files.
func clustersOf(objects []*mesh.Object) []mesh.Cluster {
	var clusters []mesh.Cluster
	for _, o := range objects {
		o.Origin.Cluster = filepath.Dir(o.Origin.File)
		i := slices.IndexFunc(clusters, func(c mesh.Cluster) bool { return c.Name == o.Origin.Cluster })
		if i < 0 {
			i = len(clusters)
			clusters = append(clusters, mesh.Cluster{Name: o.Origin.Cluster, Read: mesh.Kinds()})
		}
		clusters[i].Objects = append(clusters[i].Objects, o)
	}
	return clusters
}

func caseOptions(t *testing.T, file string, comment []byte) mesh.Options {
	t.Helper()
	var o mesh.Options
	for line := range strings.Lines(string(comment)) {
		words, found := strings.CutPrefix(line, "options:")
		if !found {
			continue
		}
		for _, word := range strings.Fields(words) {
			name, value, _ := strings.Cut(word, "=")
			switch name {
			case "clusters": // see load
			case "complete":
				o.Complete = true
			case "live":
				o.Read = mesh.Kinds()
			case "live-in":
				o.ReadIn = map[mesh.Kind][]string{}
				for _, kind := range mesh.Kinds() {
					o.ReadIn[kind] = strings.Split(value, ",")
				}
			case "with": // of [others]
			case "istio-namespace":
				o.IstioNamespace = value
			case "revision":
				o.Revision = value
			case "kubernetes":
				o.Kubernetes = value
			case "cluster-domain":
				o.ClusterDomain = value
			case "now":
				// see caseNow
			default:
				t.Fatalf("%s: unknown option %q", file, word)
			}
		}
	}
	return o
}

// caseNow is the time of a case: what its options say, or the clock's.
func caseNow(t *testing.T, file string, comment []byte) time.Time {
	t.Helper()
	_, rest, found := strings.Cut(string(comment), " now=")
	if !found {
		return time.Time{}
	}
	now, err := time.Parse(time.DateOnly, strings.Fields(rest)[0])
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return now
}

// others are the checks that the option with=a,b has run as well.
func others(t *testing.T, file string, comment []byte) []*analyze.Check {
	t.Helper()
	for line := range strings.Lines(string(comment)) {
		for _, word := range strings.Fields(line) {
			if names, found := strings.CutPrefix(word, "with="); found {
				selected, unknown := analyze.Select(checks.All(), strings.Split(names, ","), nil)
				if unknown != "" {
					t.Fatalf("%s: no check %q", file, unknown)
				}
				return selected
			}
		}
	}
	return nil
}

// wishes is what a case's .meshctl.yaml and options say.
func wishes(t *testing.T, file string, archive *txtar.Archive) analyze.Options {
	t.Helper()
	o := analyze.Options{Now: caseNow(t, file, archive.Comment), Known: checks.Knows}
	for _, f := range archive.Files {
		if f.Name == ".meshctl.yaml" {
			c, err := analyze.ReadConfig(f.Name, f.Data)
			if err != nil {
				t.Fatal(err)
			}
			o.Suppress, o.Severities = c.Suppress, c.Severities
		}
	}
	return o
}

func rewrite(t *testing.T, file string, archive *txtar.Archive, got []byte) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return f.Name == "want" })
	if len(got) > 0 {
		archive.Files = append(archive.Files, txtar.File{Name: "want", Data: got})
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// touched collects the kinds that a check asks for.
type touched struct {
	mu    sync.Mutex
	kinds map[mesh.Kind]bool
}

func newTouched() *touched { return &touched{kinds: map[mesh.Kind]bool{}} }

func (k *touched) add(kind mesh.Kind) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kinds[kind] = true
}

func (k *touched) sorted() []mesh.Kind {
	var kinds []mesh.Kind
	for kind := range k.kinds {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, mesh.Kind.Compare)
	return kinds
}

func kindNames(kinds []mesh.Kind) []string {
	names := []string{}
	for _, k := range kinds {
		names = append(names, k.String())
	}
	return slices.Compact(names)
}
