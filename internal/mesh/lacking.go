package mesh

import (
	"strings"

	"istio.io/api/annotation"
	core "k8s.io/api/core/v1"
)

// LacksProxy says whether a pod that a cluster runs should have a sidecar, by
// its labels and those of its namespace, and has none. What the injector's
// configuration excludes is not looked at; see [Snapshot.NeverInjected].
func (s *Snapshot) LacksProxy(pod *Workload) bool {
	if !s.Running(pod.Object) || pod.HasProxy() || pod.PodAnnotations[annotation.SidecarStatus.Name] != "" {
		return false
	}
	ns := s.Get(Namespace, "", pod.Object.Namespace)
	if ns == nil || !s.Discovers(ns) || ns.Labels[DataPlaneLabel] == "ambient" || pod.PodLabels[DataPlaneLabel] == "ambient" {
		return false
	}
	return s.DataPlane(pod) == InSidecar
}

// AsksForProxy is the label that asks for a pod's sidecar, and whose it is.
func AsksForProxy(pod *Workload, namespace *Object) string {
	switch {
	case namespace.Labels[InjectionLabel] == "enabled":
		return "istio-injection=enabled of the namespace"
	case namespace.Labels[InjectionLabel] == "" && namespace.Labels[RevisionLabel] != "":
		return "istio.io/rev=" + namespace.Labels[RevisionLabel] + " of the namespace"
	case pod.PodLabels[RevisionLabel] != "":
		return "istio.io/rev=" + pod.PodLabels[RevisionLabel] + " of the pod"
	case pod.PodLabels[InjectLabel] == "true":
		return InjectLabel + "=true of the pod"
	}
	return "the injector's default"
}

// Over says whether a pod has ended or is about to.
func Over(pod *Object) bool {
	phase := pod.Field("status", "phase")
	return phase == string(core.PodSucceeded) || phase == string(core.PodFailed) || pod.Field("metadata", "deletionTimestamp") != nil
}

// OwnerName names what runs a pod, as kubectl does: deployment/web; the pod
// itself when nothing does.
func OwnerName(pod *Object) string {
	if len(pod.Owners) == 0 {
		return "pod/" + pod.Name
	}
	owner := pod.Owners[0]
	if hash := pod.Labels["pod-template-hash"]; owner.Kind == "ReplicaSet" && hash != "" {
		return "deployment/" + strings.TrimSuffix(owner.Name, "-"+hash)
	}
	return strings.ToLower(owner.Kind) + "/" + owner.Name
}
