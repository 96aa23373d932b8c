package kube

import (
	"context"
	"fmt"
	"testing"

	"github.com/meshctl/meshctl/internal/mesh"
)

// TestPlacesInsideTexts: the mesh config is YAML in a text of a ConfigMap, and
// its fields have places of their own.
func TestPlacesInsideTexts(t *testing.T) {
	t.Parallel()
	const yaml = `# comment
apiVersion: v1
kind: ConfigMap
metadata: {name: istio}
data:
  folded: >
    a: b
  quoted: "a: b"
  mesh: |-

    # all proxies
    accessLogFile: /dev/stdout
    defaultConfig:
      tracing:
        zipkin: {address: "zipkin:9411"}
    discoverySelectors:
    - matchLabels: {mesh: shop}
`
	const json = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio"},
 "data": {"mesh": "accessLogFile: x\ntrustDomain: y"}}`
	files, err := ReadTexts(context.Background(), []Text{{Path: "cm.yaml", Text: []byte("kind: List\napiVersion: v1\nitems: []\n---\n" + yaml)}, {Path: "cm.json", Text: []byte(json)}})
	if err != nil || len(files.Objects) != 2 {
		t.Fatalf("reading: %v, %d objects", err, len(files.Objects))
	}
	for _, c := range []struct {
		object int
		path   string
		key    bool
		want   string
	}{
		{0, "data.mesh.accessLogFile", false, "16:20"},
		{0, "data.mesh.accessLogFile", true, "16:5"},
		{0, "data.mesh.defaultConfig.tracing.zipkin.address", false, "19:27"},
		{0, "data.mesh.discoverySelectors[0].matchLabels.mesh", true, "21:21"},
		{0, "data.mesh.defaultConfig.concurrency", false, "17:5"}, // the field above what is not there
		{0, "data.mesh[line 4]", false, "17:5"},
		{0, "data.folded.a", false, "10:3"},
		{0, "data.quoted.a", false, "12:3"},
		{1, "data.mesh.trustDomain", false, "2:11"},
	} {
		at := mesh.Location{Object: files.Objects[c.object], Path: c.path, Key: c.key}.Position()
		if got := fmt.Sprintf("%d:%d", at.Line, at.Column); got != c.want {
			t.Errorf("%s (key %v) is at %s, want %s", c.path, c.key, got, c.want)
		}
	}
}
