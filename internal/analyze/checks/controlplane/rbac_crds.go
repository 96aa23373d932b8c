package controlplane

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// RBACCRDs finds the CRDs of Istio's first authorization API.
var RBACCRDs = &analyze.Check{
	Code: "IST0002", Name: "deprecated-rbac-crds", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.CustomResourceDefinition},
	Doc: analyze.Doc{
		What: "The cluster has a CRD of the group rbac.istio.io (ClusterRbacConfig, RbacConfig, ServiceRole, ServiceRoleBinding).",
		Why:  "Istio has not read these since version 1.6. Whoever writes such objects believes that access is restricted, and it is not.",
		Fix:  "Write AuthorizationPolicies for what the old objects were to do, then delete the CRDs.",
	},
	Run: func(p *analyze.Pass) {
		for _, crd := range p.CustomResourceDefinitions() {
			if crd.Spec.Group == "rbac.istio.io" {
				p.Report(crd.At("spec.group"), "Istio no longer reads %s of rbac.istio.io", crd.Spec.Names.Kind).
					Suggest("write AuthorizationPolicies instead, then kubectl delete crd %s", crd.Name)
			}
		}
	},
}
