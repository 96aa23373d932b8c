package mesh

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	networking "istio.io/api/networking/v1alpha3"
	"sigs.k8s.io/yaml"
)

// TestFillIsWhatIstiodReads: over Istio's samples, and values of every sort.
func TestFillIsWhatIstiodReads(t *testing.T) {
	t.Parallel()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "istio.io/istio").Output()
	if err != nil {
		t.Fatalf("finding istio.io/istio: %v", err)
	}
	filled := 0
	err = filepath.WalkDir(filepath.Join(strings.TrimSpace(string(dir)), "samples"), func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, doc := range strings.Split(string(text), "\n---") {
			if filledAlike(t, path, doc) {
				filled++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if filled < 60 {
		t.Errorf("only %d specs were filled", filled)
	}
}

func filledAlike(t *testing.T, path, doc string) bool {
	t.Helper()
	var raw map[string]any
	if yaml.Unmarshal([]byte(doc), &raw) != nil {
		return false
	}
	kind, _ := KindOf(text(raw["apiVersion"]), text(raw["kind"]))
	if !kind.IsIstio() || raw["spec"] == nil {
		return false
	}
	raw["spec"] = whole(raw["spec"])
	spec, _ := decoders[kind](raw)
	want := proto.Clone(spec.(proto.Message))
	proto.Reset(want)
	got := proto.Clone(want)
	if !fill(got.ProtoReflect(), raw["spec"]) {
		return false
	}
	bytes, err := json.Marshal(raw["spec"])
	if err == nil {
		err = want.(json.Unmarshaler).UnmarshalJSON(bytes)
	}
	if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" || err != nil {
		t.Errorf("%s: %v (-istiod +here):\n%s", path, err, diff)
	}
	return true
}

// whole makes int64 of whole numbers, as the readers of files and clusters do.
func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return v
}

func TestFillLeavesTheUnusualToIstiod(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]bool{
		`{"hosts": ["a"], "exportTo": []}`:                                        true,
		`{"hosts": null}`:                                                         true,
		`{"hosts": [null]}`:                                                       false,
		`{"hosts": "a"}`:                                                          false,
		`{"host": ["a"]}`:                                                         false,
		`{"export_to": ["."]}`:                                                    false,
		`{"http": [{"timeout": "1h2m"}]}`:                                         true,
		`{"http": [{"timeout": 5}]}`:                                              false,
		`{"http": [{"timeout": "5"}]}`:                                            false,
		`{"http": [{"route": [{"weight": 1.5}]}]}`:                                false,
		`{"http": [{"route": [{"weight": 4294967296}]}]}`:                         false,
		`{"http": [{"route": [{"weight": "5"}]}]}`:                                false,
		`{"http": [{"match": [{"uri": {"exact": "/a", "prefix": "/b"}}]}]}`:       false,
		`{"http": [{"match": [{"headers": {"a": {"exact": "b"}, "c": null}}]}]}`:  false,
		`{"http": [{"fault": {"delay": {"percentage": {"value": 1}}}}]}`:          true,
		`{"http": [{"corsPolicy": {"allowCredentials": true, "maxAge": "24h"}}]}`: true,
		`{"http": [{"corsPolicy": {"unmatchedPreflights": "FORWARD"}}]}`:          true,
		`{"http": [{"corsPolicy": {"unmatchedPreflights": "forward"}}]}`:          false,
	} {
		var value any
		if err := json.Unmarshal([]byte(doc), &value); err != nil {
			t.Fatal(err)
		}
		value = whole(value)
		spec := &networking.VirtualService{}
		if got := fill(spec.ProtoReflect(), value); got != want {
			t.Errorf("%s: filled: %t, want %t", doc, got, want)
			continue
		}
		istiod := &networking.VirtualService{}
		if want {
			if err := istiod.UnmarshalJSON([]byte(doc)); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
			if diff := cmp.Diff(istiod, spec, protocmp.Transform()); diff != "" {
				t.Errorf("%s (-istiod +here):\n%s", doc, diff)
			}
		}
	}
}
