package precheck

import (
	"slices"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

const gatewayGroup = "gateway.networking.k8s.io"

// GatewayAPINotServed finds CRDs of the Gateway API that have no version which
// Istio can read.
var GatewayAPINotServed = &analyze.Check{
	Code: "IST0156", Name: "gateway-api-not-served", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.CustomResourceDefinition},
	Doc: analyze.Doc{
		What: "A CRD of the Gateway API serves neither version v1 nor v1beta1 of its kind.",
		Why:  "Istio cannot read objects of the kind: Gateways are not made, routes do nothing.",
		Fix:  "Install a current release of the Gateway API's CRDs before Istio.",
	},
	Run: func(p *analyze.Pass) {
		needed := []string{"gateways", "gatewayclasses", "httproutes", "referencegrants"}
		for _, crd := range gatewayAPI(p, needed) {
			if served := servedBy(crd); !slices.Contains(served, "v1") && !slices.Contains(served, "v1beta1") {
				p.Report(crd.At("spec.versions"), "the CRD serves %s, and Istio needs v1 or v1beta1 of %s", list(served), crd.Spec.Names.Kind).
					Suggest("install a current release of the Gateway API's CRDs")
			}
		}
	},
}

// GatewayAPINotV1 finds CRDs of the Gateway API that a coming Istio cannot use.
var GatewayAPINotV1 = &analyze.Check{
	Code: "IST0172", Name: "gateway-api-not-v1", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.CustomResourceDefinition},
	Doc: analyze.Doc{
		What: "A CRD of the Gateway API serves an older version of its kind, and not v1.",
		Why:  "Istio moves to v1 and gives up the older versions: after an upgrade of Istio, objects of the kind may do nothing.",
		Fix:  "Install a current release of the Gateway API's CRDs; it converts what there is.",
	},
	Run: func(p *analyze.Pass) {
		for _, crd := range gatewayAPI(p, []string{"gateways", "gatewayclasses", "httproutes", "grpcroutes"}) {
			served := servedBy(crd)
			unreadable := !slices.Contains(served, "v1beta1") && crd.Spec.Names.Plural != "grpcroutes" // IST0156
			if !slices.Contains(served, "v1") && !unreadable {
				p.Report(crd.At("spec.versions"), "the CRD serves %s, and Istio is about to need v1 of %s", list(served), crd.Spec.Names.Kind).
					Suggest("install a current release of the Gateway API's CRDs")
			}
		}
	},
}

type crd = *mesh.Resource[*apiextensions.CustomResourceDefinitionSpec]

// gatewayAPI are the Gateway API's CRDs among the plurals given.
func gatewayAPI(p *analyze.Pass, plurals []string) []crd {
	var found []crd
	for _, c := range p.CustomResourceDefinitions() {
		if c.Spec.Group == gatewayGroup && slices.Contains(plurals, c.Spec.Names.Plural) {
			found = append(found, c)
		}
	}
	return found
}

// servedBy are the versions that a CRD serves.
func servedBy(c crd) []string {
	var served []string
	for _, v := range c.Spec.Versions {
		if v.Served {
			served = append(served, v.Name)
		}
	}
	return served
}

func list(versions []string) string {
	if len(versions) == 0 {
		return "no version"
	}
	return strings.Join(versions, ", ")
}
