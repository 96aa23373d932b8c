package workload

import (
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ServiceOfTwoMeshes finds Services with settings for another mesh than that of
// their pods.
var ServiceOfTwoMeshes = &analyze.Check{
	Code: "MSH0601", Name: "service-of-two-meshes", Severity: analyze.Info,
	Reads: append([]mesh.Kind{mesh.Service, mesh.Namespace}, mesh.WorkloadKinds()...),
	Doc: analyze.Doc{
		What: "A Service has annotations for Linkerd or Kuma, and all the workloads behind it are in Istio.",
		Why:  "Istio reads none of them: timeouts, retries, protocols or opaque ports that they set do not happen. Mostly they are left over from a move between meshes.",
		Fix:  "Say it in Istio's terms (a VirtualService, a DestinationRule, appProtocol on the port) and remove the annotation.",
	},
	Run: func(p *analyze.Pass) {
		for _, svc := range p.Services() {
			name, of := foreignAnnotation(svc.Annotations)
			if name == "" || len(svc.Spec.Selector) == 0 || !istiosAlone(p, svc.Namespace, svc.Spec.Selector) {
				continue
			}
			p.Report(svc.AtKey("%s", mesh.Path{"metadata", "annotations", name}), "the annotation is for %s, and the workloads of the Service are Istio's: it does nothing", of).
				Suggest("say it in Istio's terms, and remove %s", name)
		}
	},
}

// foreignAnnotation is the first annotation that sets something for another mesh.
func foreignAnnotation(annotations map[string]string) (name, of string) {
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		domain, word, _ := strings.Cut(name, "/")
		if annotations[name] == "disabled" || word == "created-by" {
			continue // says that it is not in that mesh
		}
		for suffix, mesh := range map[string]string{"linkerd.io": "Linkerd", "kuma.io": "Kuma"} {
			if domain == suffix || strings.HasSuffix(domain, "."+suffix) {
				return name, mesh
			}
		}
	}
	return "", ""
}

// istiosAlone says whether workloads are behind a selector, and all of them in
// Istio and in no other mesh.
func istiosAlone(p *analyze.Pass, namespace string, selector map[string]string) bool {
	workloads := p.Select(namespace, selector)
	for _, w := range workloads {
		plane := p.DataPlane(w)
		if _, other := otherMesh(p, w); other || w.IsGateway() || (plane != mesh.InSidecar && plane != mesh.InAmbient) {
			return false
		}
	}
	return len(workloads) > 0
}
