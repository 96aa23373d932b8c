package schema

import (
	"slices"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownKubernetesField finds fields that Kubernetes' and the Gateway API's
// kinds do not have, and values that cannot be read.
var UnknownKubernetesField = &analyze.Check{
	Code: "MSH0701", Name: "invalid-kubernetes-object", Severity: analyze.Error,
	Uses: kubernetesKinds(),
	Doc: analyze.Doc{
		What: "A Service, a workload or an object of the Gateway API has a field that its kind does not have, or a value of the wrong type.",
		Why:  "kubectl and server-side apply refuse the object. Helm and older clients do not: the field is dropped without a word, and the object does less than it says.",
		Fix:  "Correct the field's name, or move it where it belongs. kubectl explain shows what a kind has.",
	},
	Run: func(p *analyze.Pass) {
		kinds := kubernetesKinds()
		for _, kind := range kinds {
			for _, o := range p.Objects(kind) {
				for _, problem := range o.Problems() {
					tellProblem(p, o, problem)
				}
			}
		}
		for _, o := range p.Shadowed() {
			if !slices.Contains(kinds, o.Kind) {
				continue
			}
			for _, problem := range o.Problems() {
				tellProblem(p, o, problem)
			}
		}
	},
}

// kubernetesKinds are the kinds that are read as Go types.
func kubernetesKinds() []mesh.Kind {
	kinds := []mesh.Kind{
		mesh.Service, mesh.Pod, mesh.Deployment, mesh.StatefulSet, mesh.DaemonSet, mesh.ReplicaSet, mesh.Job, mesh.CronJob,
		mesh.MutatingWebhookConfiguration, mesh.ValidatingWebhookConfiguration,
		mesh.KubernetesGateway, mesh.ListenerSet, mesh.GatewayClass, mesh.HTTPRoute, mesh.GRPCRoute, mesh.TLSRoute, mesh.TCPRoute, mesh.ReferenceGrant, mesh.BackendTLSPolicy,
	}
	slices.SortFunc(kinds, mesh.Kind.Compare)
	return kinds
}
