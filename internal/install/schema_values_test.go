package install

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"istio.io/istio/manifests"
	"sigs.k8s.io/yaml"
)

func embeddedValuesSchema(t *testing.T) *shape {
	t.Helper()
	src, err := newChartSource("")
	if err != nil {
		t.Fatal(err)
	}
	return valuesSchema(src.defaults)
}

// Every key that Istio's own helm profiles set must be known, or a user could
// not write what the profile writes.
func TestValuesSchemaKnowsTheChartsProfiles(t *testing.T) {
	t.Parallel()
	s := embeddedValuesSchema(t)
	files, err := fs.Glob(manifests.FS, "charts/base/files/profile-*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d profiles: %v", len(files), err)
	}
	for _, f := range files {
		data, err := fs.ReadFile(manifests.FS, f)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := yaml.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		// Each chart reads its own settings at the top of these; in an install
		// they stand under the component's key.
		for k, v := range m {
			if s.keys[k] != nil {
				continue
			}
			delete(m, k)
			_, inPilot := s.keys["pilot"].child(k)
			_, inCNI := s.keys["cni"].child(k)
			if !inPilot && !inCNI {
				t.Errorf("%s: %s: %v is known to no component", f, k, v)
			}
		}
		if err := s.check(source{name: path.Base(f)}, "", m); err != nil {
			t.Error(err)
		}
	}
}

func TestValuesSchemaRefusesTypos(t *testing.T) {
	t.Parallel()
	s := embeddedValuesSchema(t)
	for _, p := range []string{
		"pilot.autoscaleEnabeld", "global.proxy.resorces", "globl.hub", "cni.ambiant.enabled", "autoscaleEnabled",
		"gateways.istio-ingresgateway", "meshConfig.accesLogFile", "sidecarInjectorWebhook.rewriteAppHTTPProb",
	} {
		steps, err := parsePath(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.walk(source{name: "test"}, steps); err == nil {
			t.Errorf("%s: no error", p)
		} else if !strings.Contains(err.Error(), "unknown key") {
			t.Errorf("%s: %v", p, err)
		}
	}
}
