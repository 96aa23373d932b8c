package kube

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// unpack writes a txtar archive into a new directory.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// said are what was passed over and what is broken, without the directory.
func said(dir string, files *Files) []string {
	all := []string{}
	short := func(s string) string { return strings.ReplaceAll(s, dir+"/", "") }
	for _, s := range files.Skipped {
		all = append(all, short("skipped "+s.Path+": "+s.Reason))
	}
	for _, b := range files.Broken {
		all = append(all, short("broken "+b.Position.String()+": "+b.Reason))
	}
	return all
}

func readDir(t *testing.T, dir string, paths ...string) *Files {
	t.Helper()
	if len(paths) == 0 {
		paths = []string{""}
	}
	for i, p := range paths {
		paths[i] = filepath.Join(dir, p)
	}
	files, err := ReadFiles(context.Background(), paths, nil)
	if err != nil {
		t.Fatal(err)
	}
	return files
}

const overlays = `
-- base/kustomization.yaml --
resources:
- all.yaml
configMapGenerator:
- name: settings
  literals: [url=https://example.com/x]
-- base/all.yaml --
# the shop
apiVersion: v1
kind: Service
metadata:
  name: reviews
spec:
  ports:
  - name: http
    port: 9080
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
  - timeout: 3s
    route:
    - destination:
        host: reviews
-- overlays/prod/kustomization.yaml --
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop
namePrefix: prod-
resources: [../../base]
patches:
- path: timeout.yaml
- target: {kind: Service}
  patch: |-
    - op: replace
      path: /spec/ports/0/port
      value: 80
-- overlays/prod/timeout.yaml --
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  http:
  - timeout: 5s
    route:
    - destination:
        host: reviews
-- overlays/prod/left.yaml --
apiVersion: v1
kind: Service
metadata: {name: left}
`

func TestKustomizationsAreRendered(t *testing.T) {
	t.Parallel()
	dir := unpack(t, overlays)
	files := readDir(t, dir)
	want := []string{"Service shop/prod-reviews", "VirtualService shop/prod-reviews"}
	got := refs(files)
	if len(got) != 3 || !strings.HasPrefix(got[2], "ConfigMap shop/prod-settings-") {
		t.Fatalf("objects %v", got)
	}
	if diff := cmp.Diff(want, got[:2]); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"skipped overlays/prod/left.yaml: the kustomization beside it does not name it"}, said(dir, files)); diff != "" {
		t.Errorf("said (-want +got):\n%s", diff)
	}
	for _, c := range []struct {
		object           int
		path, want, note string
	}{
		{0, "", "base/all.yaml:5:9", "renamed by overlays/prod/kustomization.yaml"},
		{0, "spec.ports[0].name", "base/all.yaml:8:11", ""},
		{0, "spec.ports[0].port", "overlays/prod/kustomization.yaml:1:1", "kustomize changed it, from base/all.yaml:9:11"},
		{0, "spec.ports[0].appProtocol", "base/all.yaml:8:5", ""},
		{1, "spec.http[0].timeout", "overlays/prod/timeout.yaml:7:14", ""},
		{1, "spec.http[0].route[0].destination.host", "base/all.yaml:21:15", ""},
		{1, "spec.hosts[0]", "base/all.yaml:16:11", ""},
		{2, "data.url", "overlays/prod/kustomization.yaml:1:1", "kustomize made it"},
	} {
		at := files.Objects[c.object].At("%s", c.path).Position()
		note := strings.ReplaceAll(at.Note, dir+"/", "")
		if got := strings.TrimPrefix(at.String(), dir+"/"); got != c.want || note != c.note {
			t.Errorf("%s of %s stands at %s (%s), want %s (%s)", c.path, files.Objects[c.object], got, note, c.want, c.note)
		}
	}
	if files.Objects[0].Annotations != nil {
		t.Errorf("annotations of kustomize's own are left: %v", files.Objects[0].Annotations)
	}
	if byFile := readDir(t, dir, "overlays/prod/kustomization.yaml", "overlays/prod/timeout.yaml"); len(byFile.Objects) != 3 {
		t.Errorf("named by its file: %v", refs(byFile))
	}
}

func TestWhatIsNotRendered(t *testing.T) {
	t.Parallel()
	const service = "-- s.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: s}\n"
	const rest = "-- rest/x.yaml --\napiVersion: v1\nkind: Service\nmetadata: {name: rest}\n"
	for _, c := range []struct {
		name, archive string
		want          []string
	}{
		{"remote base", "-- kustomization.yaml --\nresources: [s.yaml, 'https://github.com/org/repo//base?ref=v1']\n" + service,
			[]string{"skipped kustomization.yaml: it names https://github.com/org/repo//base?ref=v1, and meshctl fetches nothing; render it with `kubectl kustomize` and pipe the result in"}},
		{"remote base of a base", "-- kustomization.yaml --\nresources: [b]\n-- b/kustomization.yaml --\nresources: [github.com/org/repo]\n",
			[]string{"skipped kustomization.yaml: it names github.com/org/repo, and meshctl fetches nothing; render it with `kubectl kustomize` and pipe the result in"}},
		{"helm", "-- kustomization.yaml --\nhelmCharts: [{name: x, repo: 'https://charts'}]\n",
			[]string{"skipped kustomization.yaml: it inflates Helm charts, which meshctl does not; render it with `kustomize build --enable-helm` and pipe the result in"}},
		{"helm generator", "-- kustomization.yaml --\ngenerators: [g.yaml]\n-- g.yaml --\napiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\n",
			[]string{"skipped kustomization.yaml: it inflates Helm charts, which meshctl does not; render it with `kustomize build --enable-helm` and pipe the result in"}},
		{"exec plugin", "-- kustomization.yaml --\ngenerators: [g.yaml]\n-- g.yaml --\napiVersion: someteam.example.com/v1\nkind: SealedSecrets\nmetadata: {name: x}\n",
			[]string{"skipped kustomization.yaml: it runs the plugin SealedSecrets, which meshctl does not; render it with `kustomize build` and pipe the result in"}},
		{"inline transformer of a URL", "-- kustomization.yaml --\nresources: [s.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: x}\n  path: https://example.com/p.yaml\n" + service,
			[]string{"skipped kustomization.yaml: it names a URL, and meshctl fetches nothing; render it with `kubectl kustomize` and pipe the result in"}},
		{"missing file", "-- kustomization.yaml --\nresources: [none.yaml]\n",
			[]string{`broken kustomization.yaml:1:13: resources "none.yaml": no such file or directory`}},
		{"broken file", "-- kustomization.yaml --\nresources: [s.yaml]\n-- s.yaml --\nkind: [Service\napiVersion: v1\n",
			[]string{"broken s.yaml:2:1: it is not valid YAML: did not find expected ',' or ']'"}},
		{"cycle", "-- kustomization.yaml --\nresources: [a]\n-- a/kustomization.yaml --\nresources: [..]\n", nil},
		{"outside", "-- o/kustomization.yaml --\nresources: [../../../../../../../../etc/hostname]\n", nil},
	} {
		dir := unpack(t, c.archive+rest)
		files := readDir(t, dir)
		if got := refs(files); len(got) != 1 || got[0] != "Service rest" {
			t.Errorf("%s: objects %v", c.name, got)
		}
		if got := said(dir, files); c.want != nil && !cmp.Equal(c.want, got) || len(got) == 0 {
			t.Errorf("%s (-want +got):\n%s", c.name, cmp.Diff(c.want, got))
		}
	}
}

func TestFluxKustomizationIsAnObject(t *testing.T) {
	t.Parallel()
	dir := unpack(t, "-- kustomization.yaml --\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n")
	if got := refs(readDir(t, dir)); len(got) != 1 || got[0] != "Kustomization apps" {
		t.Errorf("objects %v", got)
	}
}
