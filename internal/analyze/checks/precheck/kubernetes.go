package precheck

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// leastKubernetes is the oldest minor version of Kubernetes 1 that the Istio
// which meshctl installs supports.
const leastKubernetes = 32

// KubernetesTooOld finds clusters that are too old for Istio.
var KubernetesTooOld = &analyze.Check{
	Code: "IST0142", Name: "kubernetes-too-old", Severity: analyze.Error,
	Doc: analyze.Doc{
		What: fmt.Sprintf("The API server is older than the oldest version of Kubernetes that this Istio supports, 1.%d.", leastKubernetes),
		Why:  "Istio uses kinds and fields that older API servers do not have. The install may be refused, or istiod may not start or not see its configuration.",
		Fix:  "Upgrade Kubernetes first, or install an older Istio that supports the cluster.",
	},
	Run: func(p *analyze.Pass) {
		v, err := version.ParseGeneric(p.KubernetesVersion())
		if err != nil || v.Major() != 1 || v.Minor() >= leastKubernetes {
			return
		}
		p.Report(mesh.Location{}, "the cluster runs Kubernetes %s, and this Istio needs 1.%d or later", p.KubernetesVersion(), leastKubernetes).
			Suggest("upgrade Kubernetes to 1.%d or later", leastKubernetes)
	},
}
