package peerauthentication

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Conflicting finds PeerAuthentications that select the same workload.
var Conflicting = &analyze.Check{
	Code: "MSH0102", Name: "conflicting-peer-authentications", Severity: analyze.Error, KIA: "KIA0003",
	Reads: []mesh.Kind{mesh.PeerAuthentication, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace),
	Doc: analyze.Doc{
		What: "The selectors of several PeerAuthentications of a namespace pick the same workload.",
		Why:  "They are not merged, not even the settings of their ports: istiod takes the oldest for the workload and ignores the others without a word.",
		Fix:  "Merge them into one PeerAuthentication for the workload, with all its ports in portLevelMtls, or make the selectors exclusive.",
	},
	Run: func(p *analyze.Pass) {
		index := mesh.IndexSelectors(p.PeerAuthentications(), labelsOf)
		for _, pa := range p.PeerAuthentications() {
			if len(labelsOf(pa.Spec)) > 0 && pa.Namespace != p.RootNamespace() {
				conflict(p, pa, index)
			}
		}
	},
}

// conflict reports a policy once, with the first workload that others select too.
func conflict(p *analyze.Pass, pa policy, index *mesh.Selectors[spec]) {
	for _, w := range p.Select(pa.Namespace, labelsOf(pa.Spec)) {
		rivals := index.Selecting(pa.Namespace, w.PodLabels)
		if len(rivals) < 2 || p.DataPlane(w) == mesh.OutOfMesh {
			continue
		}
		whom := "for " + strings.ToLower(w.Object.Kind.Kind) + ` "` + w.Object.Name + `"`
		if rivalry(p, pa, pa.At("spec.selector.matchLabels"), rivals, whom) {
			return
		}
	}
}
