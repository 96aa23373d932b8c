package crd_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/json"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/analyze/crd"
	"github.com/meshctl/meshctl/internal/mesh"
)

var update = flag.Bool("update", false, "make gatewayapi.zip from the module again")

// TestGatewayAPIIsTheModules: the archive holds what the module
// sigs.k8s.io/gateway-api defines, without the descriptions.
func TestGatewayAPIIsTheModules(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}} {{.Version}}", "sigs.k8s.io/gateway-api").Output()
	if err != nil {
		t.Fatalf("finding sigs.k8s.io/gateway-api: %v", err)
	}
	dir, version, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if "v"+crd.GatewayAPIVersion != version {
		t.Errorf("GatewayAPIVersion is %s, the module %s", crd.GatewayAPIVersion, version)
	}
	files, err := filepath.Glob(filepath.Join(dir, "config", "crd", "experimental", "gateway.networking.k8s.io_*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions in %s: %v", dir, err)
	}
	var made bytes.Buffer
	archive := zip.NewWriter(&made)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &definition); err != nil || definition.Kind != "CustomResourceDefinition" {
			continue // an admission policy
		}
		for _, v := range definition.Spec.Versions {
			if !v.Served {
				continue
			}
			withoutText(v.Schema.OpenAPIV3Schema)
			text, err := json.Marshal(v.Schema.OpenAPIV3Schema)
			if err != nil {
				t.Fatal(err)
			}
			w, err := archive.Create(definition.Spec.Names.Kind + "/" + v.Name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("gatewayapi.zip", made.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile("gatewayapi.zip")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, made.Bytes()) {
		t.Error("gatewayapi.zip is not what the module defines: run go test ./internal/analyze/crd -update")
	}
}

// withoutText removes what only people read.
func withoutText(s *apiextensionsv1.JSONSchemaProps) {
	s.Description, s.Title, s.Example, s.ExternalDocs = "", "", nil, nil
	for name, field := range s.Properties {
		withoutText(&field)
		s.Properties[name] = field
	}
	for _, list := range [][]apiextensionsv1.JSONSchemaProps{s.AllOf, s.AnyOf, s.OneOf} {
		for i := range list {
			withoutText(&list[i])
		}
	}
	if s.Not != nil {
		withoutText(s.Not)
	}
	if s.Items != nil && s.Items.Schema != nil {
		withoutText(s.Items.Schema)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		withoutText(s.AdditionalProperties.Schema)
	}
}

// TestEveryKindHasASchema: of Istio and the Gateway API, in its preferred version.
func TestEveryKindHasASchema(t *testing.T) {
	t.Parallel()
	for _, kind := range mesh.Kinds() {
		if !strings.HasSuffix(kind.Group, "istio.io") && kind.Group != mesh.HTTPRoute.Group {
			continue
		}
		t.Run(kind.APIVersion()+"/"+kind.Kind, func(t *testing.T) {
			t.Parallel()
			s, err := crd.Bundled(kind, kind.Version)
			if err != nil {
				t.Fatal(err)
			}
			if s == nil {
				t.Error("no schema")
			}
		})
	}
}
