package crd

import (
	"archive/zip"
	"bytes"
	_ "embed" // the Gateway API's schemas
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"istio.io/istio/manifests"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/mesh"
)

// gatewayAPI holds the schemas of the Gateway API's experimental channel, which
// has every field of the standard one. TestGatewayAPIIsTheModules makes it
// from the module sigs.k8s.io/gateway-api; NOTICE names the licence.
//
//go:embed gatewayapi.zip
var gatewayAPI []byte

// GatewayAPIVersion is the release that the bundled schemas are of.
const GatewayAPIVersion = "1.6.0"

// Bundled is the schema of a kind of Istio's or the Gateway API's; nil when
// there is none for the version.
func Bundled(kind mesh.Kind, version string) (*Schema, error) {
	switch {
	case strings.HasSuffix(kind.Group, ".istio.io"):
		return istio(kind, version)
	case kind.Group == mesh.HTTPRoute.Group:
		return gateway(kind, version)
	}
	return nil, nil
}

// gateway reads a schema from the archive.
func gateway(kind mesh.Kind, version string) (*Schema, error) {
	archive, err := zip.NewReader(bytes.NewReader(gatewayAPI), int64(len(gatewayAPI)))
	if err != nil {
		return nil, fmt.Errorf("reading the Gateway API's schemas: %w", err)
	}
	text, err := fs.ReadFile(archive, archived(kind.Kind, version))
	if err != nil {
		return nil, nil //nolint:nilerr // not every version has a schema
	}
	props := &apiextensionsv1.JSONSchemaProps{}
	if err := json.Unmarshal(text, props); err != nil {
		return nil, fmt.Errorf("reading the Gateway API's schema of %s: %w", kind, err)
	}
	return Compile(props)
}

// archived is a schema's name in the archive.
func archived(kind, version string) string { return kind + "/" + version + ".json" }

// istio reads a schema from Istio's charts.
func istio(kind mesh.Kind, version string) (*Schema, error) {
	text, err := fs.ReadFile(manifests.FS, "charts/base/files/crd-all.gen.yaml")
	if err != nil {
		return nil, fmt.Errorf("reading Istio's custom resource definitions: %w", err)
	}
	document := documentOf(string(text), kind, version)
	if document == "" {
		return nil, nil
	}
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal([]byte(document), definition); err != nil {
		return nil, fmt.Errorf("reading Istio's definition of %s: %w", kind, err)
	}
	return Defined(&definition.Spec, version)
}

// Defined is the schema of a version in a definition; nil when the definition
// does not serve it or says nothing of its fields.
func Defined(definition *apiextensionsv1.CustomResourceDefinitionSpec, version string) (*Schema, error) {
	for _, v := range definition.Versions {
		if v.Name == version && v.Served && v.Schema != nil && v.Schema.OpenAPIV3Schema != nil {
			return Compile(v.Schema.OpenAPIV3Schema)
		}
	}
	return nil, nil
}

// documentOf is the definition of a kind with one of its versions, cut out of
// all of them: reading YAML is what takes time.
func documentOf(text string, kind mesh.Kind, version string) string {
	const versions = "\n  versions:\n"
	for document := range strings.SplitSeq(text, "\n---\n") {
		head, rest, found := strings.Cut(document, versions)
		if !found || !strings.Contains(head, "\n    kind: "+kind.Kind+"\n") || !strings.Contains(head, "\n  group: "+kind.Group+"\n") {
			continue
		}
		for each := range strings.SplitSeq("\n"+rest, "\n  - ") {
			if strings.HasPrefix(each, "name: "+version+"\n") || strings.Contains(each, "\n    name: "+version+"\n") {
				return head + versions + "  - " + each + "\n"
			}
		}
	}
	return ""
}

// Serves says whether a bundled kind of the Gateway API is served in a version.
func Serves(kind mesh.Kind, version string) bool {
	archive, err := zip.NewReader(bytes.NewReader(gatewayAPI), int64(len(gatewayAPI)))
	if err != nil {
		return false
	}
	f, err := archive.Open(archived(kind.Kind, version))
	if err != nil {
		return false
	}
	return f.Close() == nil
}
