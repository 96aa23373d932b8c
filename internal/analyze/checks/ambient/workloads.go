package ambient

import (
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// redirection is what the CNI agent writes on a pod once ztunnel captures it.
const redirection = mesh.RedirectionAnnotation

// label is the location of a label of a workload's pods.
func label(w *mesh.Workload, name string) mesh.Location { return w.At("metadata.labels[%q]", name) }

var (
	// BothLabels finds workloads that ask for a sidecar and for ambient mode.
	BothLabels = &analyze.Check{
		Code: "MSH0415", Name: "ambient-and-sidecar-labels", Severity: analyze.Warning, KIA: "KIA1311",
		Reads: []mesh.Kind{mesh.Pod},
		Uses:  mesh.WorkloadKinds()[1:],
		Doc: analyze.Doc{
			What: "The pods of a workload are labelled both for ambient mode and for a sidecar.",
			Why:  "A pod has one data plane. The sidecar is injected, and the node's agent leaves such a pod alone: it is not in ambient mode, whatever the label says.",
			Fix:  "Keep one of the labels istio.io/dataplane-mode and sidecar.istio.io/inject.",
		},
		Run: func(p *analyze.Pass) {
			for _, w := range p.Workloads() {
				if w.PodLabels[mesh.DataPlaneLabel] == "ambient" && w.PodLabels[mesh.InjectLabel] == "true" && !w.HasProxy() && w.PodAnnotations[redirection] == "" {
					p.Report(label(w, mesh.DataPlaneLabel), "the pods ask for ambient mode and for a sidecar, and get the sidecar").
						Suggest("remove the label %s, or the label %s for a sidecar", mesh.InjectLabel, mesh.DataPlaneLabel).
						Evidence(label(w, mesh.InjectLabel), "asks for the sidecar")
				}
			}
		},
	}

	// WaypointWithoutAmbient finds workloads that name a waypoint and are not in ambient mode.
	WaypointWithoutAmbient = &analyze.Check{
		Code: "MSH0416", Name: "waypoint-without-ambient", Severity: analyze.Warning, KIA: "KIA1312",
		Reads: []mesh.Kind{mesh.Pod, mesh.Namespace},
		Uses:  mesh.WorkloadKinds()[1:],
		Doc: analyze.Doc{
			What: "The pods of a workload name a waypoint and are not in ambient mode: they have a sidecar, or are outside the mesh.",
			Why:  "Without ztunnel before the pods nothing makes callers come through the waypoint: its policies can be passed by.",
			Fix:  "Bring the workload into ambient mode with the label istio.io/dataplane-mode=ambient, or remove the label.",
		},
		Run: func(p *analyze.Pass) {
			for _, w := range p.Workloads() {
				name := w.PodLabels[mesh.UseWaypointLabel]
				if name == "" || name == "none" {
					continue
				}
				switch p.DataPlane(w) {
				case mesh.InSidecar:
					p.Report(label(w, mesh.UseWaypointLabel), "the pods name the waypoint %q, but have a sidecar instead of ambient mode", name)
				case mesh.OutOfMesh:
					p.Report(label(w, mesh.UseWaypointLabel), "the pods name the waypoint %q, but are not in ambient mode", name).
						Suggest("label the pods or their namespace %s=ambient", mesh.DataPlaneLabel)
				case mesh.Undecided:
					p.CantTell(mesh.Namespace, "")
				}
			}
		},
	}

	// RedirectedWithSidecar finds pods that two data planes hold.
	RedirectedWithSidecar = &analyze.Check{
		Code: "MSH0418", Name: "redirected-pod-with-sidecar", Severity: analyze.Error, KIA: "KIA1314",
		Reads: []mesh.Kind{mesh.Pod},
		Doc: analyze.Doc{
			What: "A running pod's traffic is redirected to ztunnel, and the pod has a sidecar or the label that asks for one.",
			Why:  "Two proxies wrestle for the same connections: traffic fails, or goes past the policies of one of them. With the label alone the pod changes its data plane when it is next restarted.",
			Fix:  "Keep one of the two labels on the workload's pod template and restart it.",
		},
		Run: func(p *analyze.Pass) {
			once := map[string]bool{}
			for _, pod := range p.Pods() {
				w := mesh.PodWorkload(pod)
				if w.PodAnnotations[redirection] != "enabled" || once[ownerOf(pod)] {
					continue
				}
				switch {
				case w.HasProxy():
					p.Report(pod.At("metadata.annotations[%q]", redirection), "the pod's traffic is redirected to ztunnel, and it has a sidecar as well")
				case w.PodLabels[mesh.InjectLabel] == "true":
					p.Report(label(w, mesh.InjectLabel), "the pod asks for a sidecar, but its traffic is redirected to ztunnel").As(analyze.Warning)
				default:
					continue
				}
				once[ownerOf(pod)] = true
			}
		},
	}

	// AmbientLabelOnSidecar finds pods with a sidecar and the label for ambient mode.
	AmbientLabelOnSidecar = &analyze.Check{
		Code: "MSH0419", Name: "ambient-label-on-sidecar", Severity: analyze.Error, KIA: "KIA1315",
		Reads: []mesh.Kind{mesh.Pod},
		Uses:  mesh.WorkloadKinds()[1:],
		Doc: analyze.Doc{
			What: "Pods have a sidecar container and the label istio.io/dataplane-mode=ambient.",
			Why:  "The node's agent knows a sidecar by the annotation that the injector leaves. Without it, as in templates that were written by hand, both proxies get the pod's traffic and it fails; with it the label does nothing.",
			Fix:  "Remove the label, or the sidecar.",
		},
		Run: func(p *analyze.Pass) {
			once := map[string]bool{}
			report := func(w *mesh.Workload) {
				if w.PodLabels[mesh.DataPlaneLabel] != "ambient" || !w.HasProxy() || w.IsGateway() || w.PodAnnotations[redirection] == "enabled" {
					return
				}
				f := p.Report(label(w, mesh.DataPlaneLabel), "the pods have a sidecar and are labelled for ambient mode")
				if w.PodAnnotations["sidecar.istio.io/status"] != "" {
					f.As(analyze.Warning)
				}
			}
			for _, w := range p.Workloads() {
				if w.Object.Kind != mesh.Pod || len(w.Object.Owners) == 0 {
					report(w)
				}
			}
			for _, pod := range p.Pods() {
				if w := mesh.PodWorkload(pod); len(pod.Owners) > 0 && !once[ownerOf(pod)] {
					once[ownerOf(pod)] = true
					report(w)
				}
			}
		},
	}

	// SidecarInAmbient finds workloads that keep their sidecars in ambient namespaces.
	SidecarInAmbient = &analyze.Check{
		Code: "MSH0420", Name: "sidecar-in-ambient-namespace", Severity: analyze.Info, KIA: "KIA1316",
		Reads: []mesh.Kind{mesh.Pod, mesh.Namespace},
		Uses:  mesh.WorkloadKinds()[1:],
		Doc: analyze.Doc{
			What: "A workload runs with a sidecar in a namespace that is in ambient mode.",
			Why:  "That works: ztunnel leaves the pods alone. But the workload obeys other objects than its neighbours, Sidecars and selectors instead of waypoints and targetRefs, which is easily forgotten after a migration.",
			Fix:  "Remove the label sidecar.istio.io/inject from the pod template and restart the workload once it is to follow its namespace.",
		},
		Run: func(p *analyze.Pass) {
			for _, w := range p.Workloads() {
				if w.PodLabels[mesh.DataPlaneLabel] != "" || w.IsGateway() || p.DataPlane(w) != mesh.InSidecar || !p.IsAmbientNamespace(w.Object.Namespace) {
					continue
				}
				ns := p.Get(mesh.Namespace, "", w.Object.Namespace)
				p.Report(w.Object.At(""), "the pods have a sidecar in a namespace that is in ambient mode").
					Evidence(ns.At("metadata.labels[%q]", mesh.DataPlaneLabel), "puts the others into ambient mode")
			}
		},
	}
)

// ownerOf is what runs a pod, as far as its pods can be told from others'.
func ownerOf(pod *mesh.Resource[*core.PodSpec]) string {
	if len(pod.Owners) > 0 {
		return pod.Namespace + "/" + pod.Owners[0].Kind + "/" + pod.Owners[0].Name
	}
	return pod.Namespace + "/" + pod.Name
}
