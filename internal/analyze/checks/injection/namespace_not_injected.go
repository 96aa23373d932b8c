package injection

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NamespaceNotInjected finds namespaces whose workloads stay out of the mesh
// without anybody having said so.
var NamespaceNotInjected = &analyze.Check{
	Code: "IST0102", Name: "namespace-not-injected", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.Namespace},
	Uses:  mesh.WorkloadKinds(),
	Doc: analyze.Doc{
		What: "A namespace runs workloads, and has no label that says whether they belong to the mesh.",
		Why:  "Its pods get no proxy: no mutual TLS, no routing rules, no policies, no telemetry. Under STRICT mutual TLS the mesh refuses their calls.",
		Fix:  "Label the namespace istio-injection=enabled, istio.io/rev=<revision> or istio.io/dataplane-mode=ambient and restart its workloads; or istio-injection=disabled, if they are meant to stay outside.",
	},
	Run: func(p *analyze.Pass) {
		for _, ns := range p.Namespaces() {
			if labelled(ns) || mesh.IsSystemNamespace(ns.Name) || ns.Name == p.IstioNamespace() || p.InjectsByDefault() || !p.Discovers(ns) {
				continue
			}
			var outside []string
			for _, w := range p.WorkloadsIn(ns.Name) {
				if w.PodLabels["app"] == "istiod" {
					outside = nil // another control plane's home
					break
				}
				if p.Owns(w.Object) && p.DataPlane(w) == mesh.OutOfMesh && couldJoin(w) {
					outside = append(outside, w.Object.Kind.Kind+" "+w.Object.Name)
				}
			}
			if len(outside) > 0 {
				f := p.Report(ns.At("metadata.labels"), "no label says whether the namespace is part of the mesh; %s %s without proxy",
					selector.Few(outside), runs(len(outside)))
				f.Suggest("%s, or istio-injection=disabled to say that it stays outside", labelCommand(ns.Name))
			}
		}
	},
}

func labelled(ns *mesh.Object) bool {
	for _, label := range []string{mesh.InjectionLabel, mesh.RevisionLabel, mesh.DataPlaneLabel} {
		if ns.Labels[label] != "" {
			return true
		}
	}
	return false
}

// labelCommand is the command that lets the default revision inject.
func labelCommand(namespace string) string {
	return fmt.Sprintf("kubectl label namespace %s %s=enabled", namespace, mesh.InjectionLabel)
}

func runs(n int) string {
	if n == 1 {
		return "runs"
	}
	return "run"
}
