package service

import (
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingTargetPort finds named target ports that lead nowhere.
var MissingTargetPort = &analyze.Check{
	Code: "MSH0511", Name: "missing-target-port", Severity: analyze.Error, KIA: "KIA0701",
	Reads: []mesh.Kind{mesh.Service, mesh.Pod},
	Uses:  mesh.WorkloadKinds()[1:],
	Doc: analyze.Doc{
		What: "The targetPort of a Service is a name that no container of its workloads gives to a port of the same protocol.",
		Why:  "Kubernetes finds no port to send traffic to: the Service's port has no endpoints, and requests fail with 503 (response flag UH) or are refused.",
		Fix:  "Give the container's port that name, or name one that it has. Port names are limited to 15 characters and are case-sensitive.",
	},
	Run: func(p *analyze.Pass) {
		forTargets(p, func(svc *mesh.Resource[*core.ServiceSpec], i int, workloads []*mesh.Workload) {
			port := svc.Spec.Ports[i]
			if port.TargetPort.Type != intstr.String {
				return
			}
			var names []string
			for _, w := range workloads {
				if w.TargetPort(port) != 0 || injectedPort(port.TargetPort.StrVal) {
					return
				}
				names = append(names, portNames(w, port.Protocol)...)
			}
			f := p.Report(svc.At("spec.ports[%d].targetPort", i), "no container of %s has a port named %q: the port has no endpoints", first(workloads), port.TargetPort.StrVal).
				Evidence(workloads[0].At("spec.containers"), "has no such port")
			if best := hint.Closest(port.TargetPort.StrVal, names); best != "" {
				f.Suggest("change it to %q", best)
			} else {
				f.Suggest("name the container's port %q", port.TargetPort.StrVal)
			}
		})
	},
}

// UndeclaredTargetPort finds target ports that containers do not declare,
// though they declare others. A container may listen all the same.
var UndeclaredTargetPort = &analyze.Check{
	Code: "MSH0512", Name: "undeclared-target-port", Severity: analyze.Info, KIA: "KIA0701",
	Reads: []mesh.Kind{mesh.Service, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Sidecar),
	Doc: analyze.Doc{
		What: "The targetPort of a Service is a number that no container of its workloads declares, while they declare others.",
		Why:  "containerPort is for information only, and the container may listen on the port. If it does not, connections are refused (503, response flag UF).",
		Fix:  "Correct the targetPort, or add the port to the container.",
	},
	Run: func(p *analyze.Pass) {
		forTargets(p, func(svc *mesh.Resource[*core.ServiceSpec], i int, workloads []*mesh.Workload) {
			port := svc.Spec.Ports[i]
			if port.TargetPort.Type != intstr.Int || port.Protocol == core.ProtocolUDP {
				return
			}
			target := workloads[0].TargetPort(port)
			for _, w := range workloads {
				if declares, any := declared(w, target); declares || !any {
					return
				}
			}
			if proxyListens(p, workloads, target) {
				return
			}
			at := svc.At("spec.ports[%d].targetPort", i)
			if port.TargetPort.IntVal == 0 {
				at = svc.At("spec.ports[%d].port", i)
			}
			p.Report(at, "no container of %s declares port %d", first(workloads), target).
				Evidence(workloads[0].At("spec.containers"), "declares other ports")
		})
	},
}

// proxyListens says whether a Sidecar of the workloads' namespace makes the proxy
// of one of them listen on the port.
func proxyListens(p *analyze.Pass, workloads []*mesh.Workload, port uint32) bool {
	for _, sc := range mesh.InNamespace(p.Sidecars(), workloads[0].Object.Namespace) {
		for _, ingress := range sc.Spec.GetIngress() {
			if ingress.GetPort().GetNumber() != port {
				continue
			}
			selector := labels.SelectorFromSet(sc.Spec.GetWorkloadSelector().GetLabels())
			if slices.ContainsFunc(workloads, func(w *mesh.Workload) bool { return selector.Matches(labels.Set(w.PodLabels)) }) {
				return true
			}
		}
	}
	return false
}

// forTargets calls f for each port of each Service whose workloads are known
// as they will run.
func forTargets(p *analyze.Pass, f func(svc *mesh.Resource[*core.ServiceSpec], i int, workloads []*mesh.Workload)) {
	for _, svc := range p.Services() {
		if len(svc.Spec.Selector) == 0 || svc.Spec.Type == core.ServiceTypeExternalName {
			continue
		}
		workloads := p.Select(svc.Namespace, svc.Spec.Selector)
		if len(workloads) == 0 || completedLater(workloads) || completedLater(p.RunningPods(svc.Namespace, svc.Spec.Selector)) {
			continue
		}
		for i := range svc.Spec.Ports {
			f(svc, i, workloads)
		}
	}
}

// completedLater says whether one of the workloads gets containers that the
// template does not have: it is a gateway, or another webhook adds a sidecar.
func completedLater(workloads []*mesh.Workload) bool {
	for _, w := range workloads {
		if w.IsGateway() {
			return true
		}
		for _, keys := range []map[string]string{w.PodAnnotations, w.PodLabels} {
			for key := range keys {
				foreign := !strings.Contains(key, "istio.io/") && !strings.Contains(key, "linkerd.io/")
				if foreign && (strings.Contains(key, "inject") || strings.Contains(key, "sidecar")) {
					return true
				}
			}
		}
	}
	return false
}

// injectedPort says whether Istio's own sidecar brings a port of that name.
func injectedPort(name string) bool { return name == "http-envoy-prom" }

func declared(w *mesh.Workload, port uint32) (this, any bool) {
	for _, c := range w.Pod.Containers {
		for _, own := range c.Ports {
			any = true
			this = this || uint32(own.ContainerPort) == port
		}
	}
	return this, any
}

func portNames(w *mesh.Workload, protocol core.Protocol) []string {
	var names []string
	for _, c := range w.Pod.Containers {
		for _, own := range c.Ports {
			if own.Name != "" && (own.Protocol == protocol || own.Protocol == "" || protocol == "") {
				names = append(names, own.Name)
			}
		}
	}
	return names
}

// first names one of the workloads.
func first(workloads []*mesh.Workload) string {
	w := workloads[0].Object
	return strings.ToLower(w.Kind.Kind) + ` "` + w.Name + `"`
}
