// Package peerauthentication has the checks of PeerAuthentications.
package peerauthentication

import (
	"slices"

	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

type policy = *mesh.Resource[*security.PeerAuthentication]

func labelsOf(spec *security.PeerAuthentication) map[string]string {
	return spec.GetSelector().GetMatchLabels()
}

// MultipleDefault finds namespaces with several PeerAuthentications for all workloads.
var MultipleDefault = &analyze.Check{
	Code: "MSH0101", Name: "multiple-default-peer-authentications", Severity: analyze.Error, KIA: "KIA0002",
	Reads: []mesh.Kind{mesh.PeerAuthentication},
	Doc: analyze.Doc{
		What: "A namespace, or the root namespace and with it the mesh, has several PeerAuthentications without selector.",
		Why:  "istiod takes the oldest and ignores the others without a word. Whoever added a STRICT one later believes that plaintext is refused, and it is not; and deleting the old one changes the mode of every workload.",
		Fix:  "Keep one PeerAuthentication without selector per namespace, with the mode that is meant; give the others a selector.",
	},
	Run: func(p *analyze.Pass) {
		index := mesh.IndexSelectors(p.PeerAuthentications(), labelsOf)
		for _, pa := range p.PeerAuthentications() {
			if rivals := index.Defaults(pa.Namespace); len(labelsOf(pa.Spec)) == 0 && len(rivals) > 1 {
				whom := "without selector in namespace " + `"` + pa.Namespace + `"`
				if pa.Namespace == p.RootNamespace() {
					whom = "for the whole mesh"
				}
				rivalry(p, pa, pa.At(""), rivals, whom)
			}
		}
	},
}

// rivalry reports a policy beside others of which only the oldest counts. When
// the input says which that is, the oldest itself is no finding.
func rivalry(p *analyze.Pass, pa policy, at mesh.Location, rivals []policy, whom string) bool {
	oldest := mesh.Oldest(rivals)
	var f *analyze.Finding
	switch {
	case oldest == nil:
		f = p.Report(at, "%d PeerAuthentications are %s: only the oldest counts", len(rivals), whom)
	case oldest.Object == pa.Object:
		return false
	default:
		f = p.Report(at, "is ignored: an older PeerAuthentication is %s", whom)
		rivals = []policy{oldest}
	}
	differ := false
	for _, other := range rivals {
		differ = differ || !mesh.SamePeers(pa.Spec, other.Spec)
	}
	if !differ {
		f.As(analyze.Info)
	}
	others := slices.DeleteFunc(slices.Clone(rivals), func(other policy) bool { return other.Object == pa.Object })
	for _, other := range others[:min(3, len(others))] {
		f.Evidence(other.At(""), "has the mode %s", other.Spec.GetMtls().GetMode())
	}
	f.Suggest("remove one of them")
	if differ {
		f.Suggest("remove one of them, and keep the mode that is meant")
	}
	return true
}
