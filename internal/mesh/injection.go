package mesh

// DataPlane is how a workload takes part in the mesh.
type DataPlane int

// The ways to take part.
const (
	// OutOfMesh is a workload without proxy.
	OutOfMesh DataPlane = iota
	// InSidecar is a workload that gets, or has, an istio-proxy container.
	InSidecar
	// InAmbient is a workload whose node's ztunnel captures it.
	InAmbient
	// Undecided is a workload whose Namespace the input does not hold.
	Undecided
)

// The labels and annotations that decide.
const (
	InjectionLabel = "istio-injection"
	RevisionLabel  = "istio.io/rev"
	InjectLabel    = "sidecar.istio.io/inject" // also an annotation
	DataPlaneLabel = "istio.io/dataplane-mode"
	ProxyContainer = "istio-proxy"
	// RedirectionAnnotation is what the CNI agent writes on a pod that ztunnel captures.
	RedirectionAnnotation = "ambient.istio.io/redirection"
)

// systemNamespaces are never injected.
var systemNamespaces = map[string]bool{
	"kube-system": true, "kube-public": true, "kube-node-lease": true, "local-path-storage": true,
}

// IsSystemNamespace says whether a namespace belongs to Kubernetes itself.
func IsSystemNamespace(namespace string) bool { return systemNamespaces[namespace] }

// InjectsByDefault says whether the injector takes namespaces without any label.
func (s *Snapshot) InjectsByDefault() bool { return s.content.injector().byDefault }

// HasProxy says whether the pods carry a proxy already: injected, or written
// into the template.
func (w *Workload) HasProxy() bool {
	for _, c := range w.Pod.Containers {
		if c.Name == ProxyContainer {
			return true
		}
	}
	for _, c := range w.Pod.InitContainers {
		if c.Name == ProxyContainer {
			return true
		}
	}
	return false
}

// DataPlane is how a workload takes part in the mesh, by its own labels and
// those of its Namespace.
func (s *Snapshot) DataPlane(w *Workload) DataPlane {
	s.touch(Namespace)
	if w.HasProxy() {
		return InSidecar
	}
	if w.Object.Kind == Pod && w.PodAnnotations[RedirectionAnnotation] == "enabled" {
		return InAmbient // the CNI agent says what it did
	}
	if IsSystemNamespace(w.Object.Namespace) {
		return OutOfMesh
	}
	ns := s.namespaceOf(w.Object)
	var labels map[string]string
	if ns != nil {
		labels = ns.Labels
	}
	if s.injects(w, labels) {
		return InSidecar
	}
	switch w.PodLabels[DataPlaneLabel] {
	case "ambient":
		return InAmbient
	case "none":
		return OutOfMesh
	}
	if ns == nil && !s.options.Complete {
		if w.PodLabels[InjectLabel] == "false" {
			return OutOfMesh
		}
		return Undecided
	}
	if labels[DataPlaneLabel] == "ambient" && !w.Pod.HostNetwork {
		return InAmbient
	}
	return OutOfMesh
}

// injects says whether Istio's injector adds a sidecar to a workload in a
// namespace with these labels.
func (s *Snapshot) injects(w *Workload, namespace map[string]string) bool {
	if w.Pod.HostNetwork {
		return false
	}
	wish := w.PodLabels[InjectLabel]
	if wish == "" {
		wish = w.PodAnnotations[InjectLabel]
	}
	if wish == "false" || namespace[InjectionLabel] == "disabled" {
		return false
	}
	byLabel := w.PodLabels[InjectLabel] == "true" || w.PodLabels[RevisionLabel] != ""
	switch {
	case namespace[InjectionLabel] == "enabled", namespace[InjectionLabel] == "" && namespace[RevisionLabel] != "", byLabel:
		return true
	}
	return s.InjectsByDefault()
}
