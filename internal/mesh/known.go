package mesh

import (
	"slices"

	meshconfig "istio.io/api/mesh/v1alpha1"
)

// KnownEverywhere says whether absence of an object of the kind means that it
// exists in no namespace of the mesh: the kind was read from a whole cluster,
// or the input is complete. Files alone never say so.
func (s *Snapshot) KnownEverywhere(kind Kind) bool {
	s.touch(kind)
	if s.unsure(kind, "") {
		return false
	}
	everywhere := func(c Cluster) bool { return slices.Contains(c.Read, kind) }
	if shared(kind) && slices.ContainsFunc(s.options.others, func(c Cluster) bool { return !everywhere(c) }) {
		return false
	}
	return s.conclude(s.options.Complete && !s.installed(kind) || s.read[kind], kind)
}

// installed says that objects of the kind come with the control plane, which the
// input leaves to its installer: even a complete input then says nothing of them.
func (c *content) installed(kind Kind) bool {
	return kind == MutatingWebhookConfiguration && len(c.byKind[kind]) == 0
}

// HasNamespace says whether the input holds the Namespace, or an object of a
// kind that was asked for in it, or every cluster has it.
func (s *Snapshot) HasNamespace(name string, kinds ...Kind) bool {
	if s.Get(Namespace, "", name) != nil {
		return true
	}
	switch name {
	case "default", "kube-system", "kube-public", "kube-node-lease":
		return true // Kubernetes makes them; nobody writes them into files
	}
	s.touch(kinds...)
	for _, kind := range kinds {
		if s.inNS[kindNS{kind, name}] {
			return true
		}
	}
	return false
}

// KnowsIngresses says whether the mesh has no routes of Ingresses that the
// snapshot does not show: istiod pays no heed to any, or the input is complete
// and holds none. Clusters' Ingresses are not read.
func (s *Snapshot) KnowsIngresses() bool {
	if s.MeshConfig().GetIngressControllerMode() == meshconfig.MeshConfig_OFF {
		return true
	}
	return s.options.Complete && len(s.read) == 0 && !slices.ContainsFunc(s.PresentKinds(), func(k Kind) bool {
		return k.Kind == "Ingress" && k.Group == "networking.k8s.io"
	})
}
