package workload

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// TwoMeshes finds pods that both Istio and another mesh take.
var TwoMeshes = &analyze.Check{
	Code: "MSH0601", Name: "pod-in-two-meshes", Severity: analyze.Error,
	Reads: append([]mesh.Kind{mesh.Namespace}, mesh.WorkloadKinds()...),
	Doc: analyze.Doc{
		What: "Pods belong to Istio, by sidecar or ambient mode, and to another mesh as well: Linkerd, Consul or Kuma put their own sidecar into them.",
		Why:  "Both meshes redirect the pods' traffic to their proxy. Depending on who comes first, requests go in circles, are encrypted twice or not at all, and mostly fail.",
		Fix:  "Decide for one mesh: take the other one's label or annotation from the pod template or the namespace, or keep Istio out with sidecar.istio.io/inject=false.",
	},
	Run: func(p *analyze.Pass) {
		seen := map[string]bool{}
		judge := func(w *mesh.Workload, owner string) {
			if seen[owner] || w.IsGateway() || !p.Owns(w.Object) {
				return // a gateway may well be a member of the other mesh
			}
			s, ok := otherMesh(p, w)
			if !ok {
				return
			}
			how, out := "", "sidecar.istio.io/inject=false"
			switch p.DataPlane(w) {
			case mesh.InSidecar:
				how = "Istio's sidecar is in the same pods"
			case mesh.InAmbient:
				how, out = "Istio's ambient mode takes the same pods", "istio.io/dataplane-mode=none"
			case mesh.OutOfMesh, mesh.Undecided:
				return
			}
			seen[owner] = true
			p.Report(s.at, "%s puts the pods into %s, and %s", s.what, s.mesh, how).
				Suggest("keep one of the two: %s, or label the pods %s", s.leave, out)
		}
		for _, w := range p.Workloads() {
			judge(w, workloadKey(w))
		}
		for _, pod := range p.Pods() {
			if p.Running(pod.Object) {
				w := mesh.PodWorkload(pod)
				judge(w, workloadKey(w))
			}
		}
	},
}

// workloadKey names what runs a workload's pods, the same for a Deployment and
// for its pods.
func workloadKey(w *mesh.Workload) string {
	o := w.Object
	if len(o.Owners) == 0 {
		return fmt.Sprint(o.Origin.Cluster, "/", o.Namespace, "/", o.Kind.Kind, "/", o.Name)
	}
	kind, name := o.Owners[0].Kind, o.Owners[0].Name
	if hash := w.PodLabels["pod-template-hash"]; kind == mesh.ReplicaSet.Kind && hash != "" {
		kind, name = mesh.Deployment.Kind, strings.TrimSuffix(name, "-"+hash)
	}
	return fmt.Sprint(o.Origin.Cluster, "/", o.Namespace, "/", kind, "/", name)
}

// foreignMesh is how another mesh takes pods.
type foreignMesh struct {
	name string
	// key is the annotation, and for some meshes the label, that asks for a
	// sidecar on pods; on namespaces, too, where that counts.
	key         string
	values      []string
	label       bool
	onNamespace bool
	containers  []string
}

func foreignMeshes() []foreignMesh {
	return []foreignMesh{
		{name: "Linkerd", key: "linkerd.io/inject", values: []string{"enabled", "ingress"}, onNamespace: true, containers: []string{"linkerd-proxy"}},
		{name: "Consul", key: "consul.hashicorp.com/connect-inject", values: []string{"true"}, containers: []string{"consul-dataplane", "envoy-sidecar"}},
		{name: "Kuma", key: "kuma.io/sidecar-injection", values: []string{"enabled", "true"}, label: true, onNamespace: true, containers: []string{"kuma-sidecar"}},
	}
}

// sign is what shows that pods belong to another mesh.
type sign struct {
	at                mesh.Location
	what, mesh, leave string
}

// otherMesh is the first other mesh that takes a workload's pods: by a sidecar
// that is there already, by the pods' own wish, or else by their namespace's.
func otherMesh(p *analyze.Pass, w *mesh.Workload) (sign, bool) {
	for _, m := range foreignMeshes() {
		if path, name := m.container(w); path != "" {
			return sign{w.At("%s.name", path), fmt.Sprintf("the container %q", name), m.name, "remove the container"}, true
		}
		for _, own := range m.sets(w.PodLabels, w.PodAnnotations) {
			if !slices.Contains(m.values, own.value) {
				break
			}
			at := w.At("%s", mesh.Path{"metadata", own.field, m.key})
			return sign{at, m.key + "=" + own.value, m.name, "remove " + m.key + " from the pods"}, true
		}
		ns := p.Get(mesh.Namespace, "", w.Object.Namespace)
		if ns == nil || !m.onNamespace || w.Pod.HostNetwork || len(m.sets(w.PodLabels, w.PodAnnotations)) > 0 {
			continue
		}
		for _, its := range m.sets(ns.Labels, ns.Annotations) {
			if slices.Contains(m.values, its.value) {
				what := fmt.Sprintf("%s=%s of namespace %s", m.key, its.value, ns.Name)
				return sign{w.Object.At(""), what, m.name, "remove " + m.key + " from the namespace, or set it to disabled on the pods"}, true
			}
		}
	}
	return sign{}, false
}

// setting is a label or an annotation.
type setting struct{ field, value string }

// sets are the mesh's settings among labels and annotations.
func (m foreignMesh) sets(labels, annotations map[string]string) []setting {
	var found []setting
	if v, ok := labels[m.key]; ok && m.label {
		found = append(found, setting{"labels", v})
	}
	if v, ok := annotations[m.key]; ok {
		found = append(found, setting{"annotations", v})
	}
	return found
}

// container is the mesh's sidecar among a workload's containers.
func (m foreignMesh) container(w *mesh.Workload) (path, name string) {
	for i, c := range w.Pod.Containers {
		if slices.Contains(m.containers, c.Name) {
			return fmt.Sprintf("spec.containers[%d]", i), c.Name
		}
	}
	for i, c := range w.Pod.InitContainers {
		if slices.Contains(m.containers, c.Name) {
			return fmt.Sprintf("spec.initContainers[%d]", i), c.Name
		}
	}
	return "", ""
}
