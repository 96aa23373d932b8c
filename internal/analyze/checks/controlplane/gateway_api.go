package controlplane

import (
	"github.com/Masterminds/semver/v3"
	"istio.io/istio/pkg/config/schema/gatewayapi"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// bundleVersion is the annotation with the Gateway API's version on its CRDs.
const bundleVersion = "gateway.networking.k8s.io/bundle-version"

// GatewayAPITooOld finds CRDs of the Gateway API that istiod ignores.
var GatewayAPITooOld = &analyze.Check{
	Code: "IST0176", Name: "gateway-api-too-old", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.CustomResourceDefinition},
	Doc: analyze.Doc{
		What: "A CRD of the Gateway API is of an older version than istiod works with, or does not say its version.",
		Why:  "istiod ignores all objects of the kind: the routes are accepted by the cluster and do nothing. After an upgrade of Istio they stop working.",
		Fix:  "Install the Gateway API's CRDs in the version asked for or a later one, before Istio is upgraded.",
	},
	Run: func(p *analyze.Pass) {
		for _, crd := range p.CustomResourceDefinitions() {
			least := gatewayapi.MinimumCRDVersions[crd.Name]
			if least == nil {
				continue
			}
			has := crd.Annotations[bundleVersion]
			at := crd.At("%s", mesh.Path{"metadata", "annotations", bundleVersion})
			fix := "install the Gateway API's CRDs of v" + least.String() + " or later"
			version, err := semver.NewVersion(has)
			switch {
			case has == "":
				p.Report(crd.At("metadata.annotations"), "the CRD does not say its version (%s), and istiod ignores every %s", bundleVersion, crd.Spec.Names.Kind).Suggest("%s", fix)
			case err != nil:
				p.Report(at, "%q is no version, and istiod ignores every %s", has, crd.Spec.Names.Kind).Suggest("%s", fix)
			case released(version).LessThan(least):
				p.Report(at, "the CRD is of version %s, and istiod ignores every %s below v%s", has, crd.Spec.Names.Kind, least).Suggest("%s", fix)
			}
		}
	},
}

// released is the version without what makes it a pre-release: istiod takes
// v1.5.0-rc.1 for v1.5.0.
func released(v *semver.Version) *semver.Version {
	return semver.New(v.Major(), v.Minor(), v.Patch(), "", "")
}
