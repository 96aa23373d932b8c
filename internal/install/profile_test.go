package install

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/meshctl/meshctl/internal/hint"
	"istio.io/istio/manifests"
	"sigs.k8s.io/yaml"
)

// inputsToDump are inputs with every layer.
func inputsToDump() map[string]Inputs {
	file := File{Name: "in.yaml", Data: []byte(`
spec:
  profile: ambient
  meshConfig: {accessLogFile: /dev/stdout, defaultConfig: {proxyMetadata: {A: "1.10", B: "a,b"}}}
  compatibilityVersion: "1.28"
  components:
    pilot: {k8s: {replicaCount: 2, podAnnotations: {"a.b/c": "it's, quoted"}, env: [{name: X, value: "true"}]}}
    ingressGateways:
    - {name: edge, namespace: edge, label: {istio: edge}, k8s: {service: {ports: [{name: https, port: 443, targetPort: 8443}]}}}
  values: {global: {network: n1, platform: gke}, pilot: {env: {NUM: 2}}}
  unvalidatedValues: {custom: {x: "v"}}
`)}
	all := map[string]Inputs{"everything": {Files: []File{file}, Set: []string{"values.pilot.traceSampling=5.5"}, Revision: "canary"}}
	for _, p := range []string{"default", "demo", "minimal", "openshift-ambient", "remote", "stable", "empty"} {
		all[p] = Inputs{Profile: p}
	}
	return all
}

// What is dumped renders the same when it is given back, as a file and as settings.
func TestDumpedSettingsRenderTheSame(t *testing.T) {
	t.Parallel()
	for name, in := range inputsToDump() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in.Guard = true
			s, err := Resolve(in)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := s.Document(false)
			if err != nil {
				t.Fatal(err)
			}
			data, err := yaml.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			want := text(t, everything(t, in))
			back := Inputs{Files: []File{{Name: "dump.yaml", Data: data}}, Guard: true}
			if d := cmp.Diff(want, text(t, everything(t, back))); d != "" {
				t.Errorf("as a file: -want +got\n%s", d)
			}
			flags, skipped := s.Flags(doc)
			if len(skipped) != 0 {
				t.Errorf("skipped %v", skipped)
			}
			if d := cmp.Diff(want, text(t, everything(t, Inputs{Set: flags, Guard: true}))); d != "" {
				t.Errorf("as settings: -want +got\n%s\n%s", d, strings.Join(flags, "\n"))
			}
		})
	}
}

func TestEffectiveValuesAreThoseOfTheTemplates(t *testing.T) {
	t.Parallel()
	s, err := Resolve(Inputs{Profile: "demo", Set: []string{"components.cni.enabled=true", "components.ztunnel.enabled=true",
		"values.global.platform=gke", "compatibilityVersion=1.28", "values.cni.logging.level=debug", "values.ztunnel.logLevel=trace"}})
	if err != nil {
		t.Fatal(err)
	}
	v, err := EffectiveValues(s)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]any{
		"pilot.resources.requests.memory":       "100Mi",       // of the chart's demo profile
		"pilot.autoscaleEnabled":                false,         // the same
		"pilot.traceSampling":                   float64(100),  // the same
		"pilot.keepaliveMaxServerConnectionAge": "30m",         // the chart's default
		"meshConfig.accessLogFile":              "/dev/stdout", // demo
		"cni.cniBinDir":                         "",            // of the platform; the default is another
		"cni.logging.level":                     "debug",       // the user's
		"cni.ambient.dnsCapture":                true,
		"ztunnel.logLevel":                      "trace",
		"ztunnel.image":                         "ztunnel",
		"global.tag":                            Version,
		"gateways.istio-egressgateway.type":     "ClusterIP",
		"gateways.istio-ingressgateway.resources.requests.memory": "40Mi",
		"base.enableCRDTemplates":                                 true,
	} {
		if d := cmp.Diff(want, lookup(v, strings.Split(at, ".")...)); d != "" {
			t.Errorf("%s: -want +got\n%s", at, d)
		}
	}
}

func TestAt(t *testing.T) {
	t.Parallel()
	s, err := Resolve(Inputs{Profile: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := s.Document(false)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"profile": "demo", "spec.profile": "demo", "metadata.namespace": "istio-system",
		"components.egressGateways[0].name":                          "istio-egressgateway",
		"components.ingressGateways[name:istio-ingressgateway].name": "istio-ingressgateway",
		"addons.kiali": map[string]any{"enabled": true},
	} {
		got, err := s.At(doc, path)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v, -want +got\n%s", path, err, d)
		}
	}
	for path, tt := range map[string]struct {
		class      hint.Class
		text, hint string
	}{
		"components.plot":               {hint.Usage, `unknown key "spec.components.plot"`, `"pilot"`},
		"components.ingressGateways[7]": {hint.Failed, "spec.components.ingressGateways[7] is not set", "--full"},
		"components.pilot.k8s":          {hint.Failed, "spec.components.pilot.k8s is not set", "--full"},
		"values.pilot.autoscaleMn":      {hint.Usage, "autoscaleMn", `"autoscaleMin"`},
		"a[":                            {hint.Usage, "open bracket", "dots"},
		"":                              {hint.Usage, "names no key", "dots"},
	} {
		_, err := s.At(doc, path)
		if err == nil || hint.ClassOf(err) != tt.class || !strings.Contains(err.Error(), tt.text) || !strings.Contains(hint.Of(err), tt.hint) {
			t.Errorf("%s: %v (%s)", path, err, hint.Of(err))
		}
	}
}

func TestProfilesOfADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, manifests.FS); err != nil {
		t.Fatal(err)
	}
	own := "# Ours: istiod\n# and nothing else. More words.\nspec: {components: {ingressGateways: [{name: istio-ingressgateway, enabled: false}]}}\n"
	if err := os.WriteFile(filepath.Join(dir, "profiles", "ours.yaml"), []byte(own), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := Profiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Profiles) != 11 {
		t.Errorf("%d profiles", len(list.Profiles))
	}
	for _, p := range list.Profiles {
		if want := (Profile{Name: "ours", Description: "Ours: istiod and nothing else. More words.", Components: []string{"base", "istiod"}, Addons: []string{}}); p.Name == "ours" {
			if d := cmp.Diff(want, p); d != "" {
				t.Errorf("-want +got\n%s", d)
			}
		}
	}
	if _, err := Profiles("/nonexistent"); err == nil {
		t.Error("no error")
	}
}

func TestDiffDocuments(t *testing.T) {
	t.Parallel()
	a := map[string]any{"spec": map[string]any{"profile": "a", "hub": "x", "components": map[string]any{"l": []any{"1", "2"}}, "gone": true}}
	b := map[string]any{"spec": map[string]any{"profile": "b", "hub": "x", "components": map[string]any{"l": []any{"1", "3"}}, "new": []any{}}}
	d := DiffDocuments("a", "b", a, b)
	want := []SettingDiff{{Path: "components.l[1]", From: "2", To: "3"}, {Path: "gone", From: true}, {Path: "new", To: []any{}}}
	if diff := cmp.Diff(want, d.Settings); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	var text bytes.Buffer
	if err := d.WriteDiff(&text); err != nil || !strings.Contains(text.String(), "--- a\n+++ b\n") || !strings.Contains(text.String(), "-  gone: true\n") {
		t.Errorf("%v\n%s", err, &text)
	}
	if same := DiffDocuments("a", "a", a, a); len(same.Settings) != 0 {
		t.Errorf("a document differs from itself: %v", same.Settings)
	}
	if err := d.WriteDiff(failingWriter{}); !errors.Is(err, errFailing) {
		t.Errorf("error = %v", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errFailing }

func TestShellQuote(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a.b=c": "a.b=c", "a[0]=x": "'a[0]=x'", "it's": `'it'\''s'`, "": "''", "a b": "'a b'", "$x": "'$x'"} {
		if got := ShellQuote(in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
