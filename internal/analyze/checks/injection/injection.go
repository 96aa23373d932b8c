// Package injection has the checks of what gets a proxy and what does not.
package injection

import "github.com/meshctl/meshctl/internal/mesh"

// couldJoin says whether a workload would take part in the mesh if its
// namespace did: nothing of its own keeps it out.
func couldJoin(w *mesh.Workload) bool {
	return !w.Pod.HostNetwork && w.PodLabels[mesh.InjectLabel] != "false" && w.PodAnnotations[mesh.InjectLabel] != "false" &&
		w.PodLabels[mesh.DataPlaneLabel] != "none"
}
