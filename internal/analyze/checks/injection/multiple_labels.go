package injection

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MultipleLabels finds namespaces that ask for two data planes at once.
var MultipleLabels = &analyze.Check{
	Code: "IST0123", Name: "namespace-multiple-injection-labels", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Namespace},
	Doc: analyze.Doc{
		What: "A namespace has several labels that each say who is to put its pods into the mesh, and how.",
		Why:  "Only one of them counts: istio-injection=enabled makes the default revision inject whatever istio.io/rev says, and a sidecar keeps a pod out of ambient mode. An upgrade to the named revision then does nothing, silently.",
		Fix:  "Keep the one label that is meant, remove the others, and restart the workloads.",
	},
	Run: func(p *analyze.Pass) {
		for _, ns := range p.Namespaces() {
			injection, revision := ns.Labels[mesh.InjectionLabel] == "enabled", ns.Labels[mesh.RevisionLabel]
			ambient := ns.Labels[mesh.DataPlaneLabel] == "ambient"
			if other, there := ns.Labels[mesh.InjectionLabel]; there && other != "enabled" {
				continue // turned off: nothing injects, whatever else stands there
			}
			switch {
			case injection && revision != "" && revision != "default":
				f := p.Report(at(ns, mesh.RevisionLabel), "istio-injection=enabled makes the default revision inject: istio.io/rev=%s has no effect", revision)
				suggestRemoval(f, ns.Name, mesh.InjectionLabel, "use revision "+revision)
			case injection && revision != "" && !ambient:
				f := p.Report(at(ns, mesh.RevisionLabel), "istio-injection=enabled and istio.io/rev=%s both ask for the default revision: one of them is enough", revision).As(analyze.Info)
				suggestRemoval(f, ns.Name, mesh.RevisionLabel, "keep one, so that moving to another revision changes one")
			case injection && ambient:
				f := p.Report(at(ns, mesh.DataPlaneLabel), "istio-injection=enabled gives pods a sidecar: istio.io/dataplane-mode=ambient has no effect")
				suggestRemoval(f, ns.Name, mesh.InjectionLabel, "use ambient mode")
			case revision != "" && ambient:
				f := p.Report(at(ns, mesh.DataPlaneLabel), "istio.io/rev=%s gives pods a sidecar: istio.io/dataplane-mode=ambient has no effect", revision)
				suggestRemoval(f, ns.Name, mesh.RevisionLabel, "use ambient mode")
			}
		}
	},
}

// at is a label of the namespace.
func at(ns *mesh.Object, label string) mesh.Location {
	return ns.At("%s", mesh.Path{"metadata", "labels", label})
}

func suggestRemoval(f *analyze.Finding, namespace, label, why string) {
	f.Suggest("%s: kubectl label namespace %s %s-", why, namespace, label)
}
