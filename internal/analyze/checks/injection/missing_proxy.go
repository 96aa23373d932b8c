package injection

import (
	"fmt"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingProxy finds running pods that should have a sidecar and have none.
var MissingProxy = &analyze.Check{
	Code: "IST0103", Name: "pod-missing-proxy", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Pod, mesh.Namespace},
	Uses:  []mesh.Kind{mesh.ConfigMap, mesh.MutatingWebhookConfiguration},
	Doc: analyze.Doc{
		What: "A pod runs without sidecar, though the labels of its namespace or its own ask for one.",
		Why:  "The pod is outside the mesh: no mutual TLS, no routing rules, no policies. Under STRICT mutual TLS the mesh refuses its calls, and its policies protect nothing.",
		Fix:  "A pod that is older than the label, or was made while the injector was down, only needs a restart: kubectl rollout restart. When no injector serves the revision, install the revision or correct the label. To keep a pod outside on purpose, label it sidecar.istio.io/inject=false.",
	},
	Run: func(p *analyze.Pass) {
		never := p.NeverInjected()
		missing := map[string][]*mesh.Workload{}
		var owners []string
		for _, pod := range p.Pods() {
			w := mesh.PodWorkload(pod)
			if !p.Owns(w.Object) || !lacksProxy(p, w) || never(w.PodLabels) || over(pod) {
				continue
			}
			owner := ownerOf(pod)
			if missing[owner] == nil {
				owners = append(owners, owner)
			}
			missing[owner] = append(missing[owner], w)
		}
		for _, owner := range owners {
			missingProxy(p, missing[owner])
		}
	},
}

// lacksProxy says whether a pod of a cluster should have a sidecar and has none.
func lacksProxy(p *analyze.Pass, w *mesh.Workload) bool { return p.LacksProxy(w) }

// over says whether a pod has ended or is about to.
func over(pod *mesh.Resource[*core.PodSpec]) bool { return mesh.Over(pod.Object) }

// ownerOf names what runs a pod, as kubectl does; the pod itself when nothing does.
func ownerOf(pod *mesh.Resource[*core.PodSpec]) string {
	return mesh.OwnerName(pod.Object) + " -n " + pod.Namespace
}

// missingProxy reports the pods of one owner on the first of them.
func missingProxy(p *analyze.Pass, pods []*mesh.Workload) {
	first := pods[0]
	ns := p.Get(mesh.Namespace, "", first.Object.Namespace)
	owner := ownerOf(mesh.As[*core.PodSpec](first.Object))
	restart := restartCommand(owner)
	more := ""
	if n := len(pods) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more of %s)", n, owner)
	}
	if p.KnownEverywhere(mesh.MutatingWebhookConfiguration) && p.Injector(ns, first.PodLabels) == nil {
		p.Report(first.At(""), "the pod has no sidecar%s: no injector serves %s", more, asks(first, ns)).
			Suggest("install that revision or its tag, or correct the label; then %s", restart)
		return
	}
	p.Report(first.At(""), "the pod has no sidecar%s, though %s asks for one", more, asks(first, ns)).Suggest("%s", restart)
}

// restartCommand is how to get new pods of what ownerOf names.
func restartCommand(owner string) string {
	if strings.HasPrefix(owner, "pod/") {
		return "delete the pod and create it again"
	}
	return "kubectl rollout restart " + owner
}

// asks is the label that asks for a sidecar.
func asks(w *mesh.Workload, ns *mesh.Object) string { return mesh.AsksForProxy(w, ns) }
