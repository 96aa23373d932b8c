package injection

import (
	"fmt"

	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// autoImage is what stands for the proxy's image in templates of gateways: the
// injector puts the real one in its place.
const autoImage = "auto"

// ImageAutoNotInjected finds templates whose proxy image nothing will fill in.
var ImageAutoNotInjected = &analyze.Check{
	Code: "IST0146", Name: "image-auto-not-injected", Severity: analyze.Warning,
	Reads: append([]mesh.Kind{mesh.Namespace}, mesh.WorkloadKinds()...),
	Uses:  []mesh.Kind{mesh.ConfigMap, mesh.MutatingWebhookConfiguration},
	Doc: analyze.Doc{
		What: "A pod template has an istio-proxy container with the image \"auto\", and the injector will not touch its pods.",
		Why:  "\"auto\" stands for the image that the injector fills in. Left alone, the node tries to pull an image of that name, and the pods, mostly those of a gateway, never start.",
		Fix:  "Let the injector have the pods: label the template sidecar.istio.io/inject=true (or istio.io/rev=<revision>) and the namespace not istio-injection=disabled.",
	},
	Run: func(p *analyze.Pass) {
		never := p.NeverInjected()
		for _, w := range p.Workloads() {
			place := autoContainer(w)
			if place == "" || (w.Template == "" && p.Running(w.Object)) {
				continue // a running pod is IST0147
			}
			if why, fix := stays(p, w, never); why != "" {
				p.Report(w.At("%s.image", place), "the image \"auto\" is for the injector to replace, and it will not: %s", why).Suggest("%s", fix)
			}
		}
	},
}

// ImageAutoRuns finds running pods whose proxy image was not filled in.
var ImageAutoRuns = &analyze.Check{
	Code: "IST0147", Name: "image-auto-not-replaced", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.Pod},
	Doc: analyze.Doc{
		What: "A pod in the cluster has an istio-proxy container with the image \"auto\": the injector did not replace it.",
		Why:  "There is no such image: the container cannot start, and whatever the pod is to do, mostly being a gateway, does not happen.",
		Fix:  "See to it that an injector takes the pod (a webhook that selects its labels and its namespace, and an istiod that answers it), then restart it.",
	},
	Run: func(p *analyze.Pass) {
		auto := map[string][]*mesh.Workload{}
		var owners []string
		for _, pod := range p.Pods() {
			w := mesh.PodWorkload(pod)
			if autoContainer(w) == "" || !p.Owns(w.Object) || !p.Running(w.Object) || over(pod) {
				continue
			}
			owner := ownerOf(pod)
			if auto[owner] == nil {
				owners = append(owners, owner)
			}
			auto[owner] = append(auto[owner], w)
		}
		for _, owner := range owners {
			first, more := auto[owner][0], ""
			if n := len(auto[owner]) - 1; n > 0 {
				more = fmt.Sprintf(", as in %d more of %s", n, owner)
			}
			p.Report(first.At("%s.image", autoContainer(first)), "the injector did not replace the image \"auto\"%s: the container cannot start", more).
				Suggest("%s, once the injector takes its pods", restartCommand(owner))
		}
	},
}

// autoContainer is the path of the proxy container whose image is to be filled
// in; empty when there is none.
func autoContainer(w *mesh.Workload) string {
	for i, c := range w.Pod.Containers {
		if isAuto(c) {
			return fmt.Sprintf("spec.containers[%d]", i)
		}
	}
	for i, c := range w.Pod.InitContainers {
		if isAuto(c) {
			return fmt.Sprintf("spec.initContainers[%d]", i)
		}
	}
	return ""
}

func isAuto(c core.Container) bool { return c.Name == mesh.ProxyContainer && c.Image == autoImage }

// stays says why no injector will take new pods of a workload, and what to do;
// both empty when one will, or nobody can tell.
func stays(p *analyze.Pass, w *mesh.Workload, never func(map[string]string) bool) (why, fix string) {
	label, there := w.PodLabels[mesh.InjectLabel]
	switch {
	case w.Pod.HostNetwork:
		return "pods with hostNetwork are never injected", "remove hostNetwork: true, or name a real image"
	case label == "false":
		return "the pods are labelled sidecar.istio.io/inject=false", `change the label to "true"`
	case !there && w.PodAnnotations[mesh.InjectLabel] == "false":
		return "the pods are annotated sidecar.istio.io/inject=false", `remove the annotation and label the pods sidecar.istio.io/inject: "true"`
	case label != "true" && w.PodAnnotations[mesh.InjectLabel] != "true" && never(w.PodLabels):
		return "the injector's neverInjectSelector covers the pods", `label the pods sidecar.istio.io/inject: "true"`
	}
	ns := p.Get(mesh.Namespace, "", w.Object.Namespace)
	if ns == nil {
		p.CantTell(mesh.Namespace, "")
		return "", ""
	}
	if ns.Labels[mesh.InjectionLabel] == "disabled" {
		return "its namespace is labelled istio-injection=disabled", fmt.Sprintf("kubectl label namespace %s istio-injection-", ns.Name)
	}
	if !p.KnownEverywhere(mesh.MutatingWebhookConfiguration) {
		if ns.Labels[mesh.InjectionLabel] == "" && ns.Labels[mesh.RevisionLabel] == "" && label == "" && w.PodLabels[mesh.RevisionLabel] == "" {
			p.CantTell(mesh.MutatingWebhookConfiguration, "")
		}
		return "", ""
	}
	if p.Injector(ns, w.PodLabels) != nil {
		return "", ""
	}
	if asked := asks(w, ns); asked != "the injector's default" {
		return "no injector serves " + asked, "install that revision or its tag, or correct the label"
	}
	return "neither its labels nor those of its namespace ask for a sidecar", `label the pods sidecar.istio.io/inject: "true"`
}
