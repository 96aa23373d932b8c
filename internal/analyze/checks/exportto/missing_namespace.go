// Package exportto has the check of what objects are exported to.
package exportto

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		MissingNamespace, // MSH0540
	}
}

// MissingNamespace finds exports to namespaces that do not exist.
var MissingNamespace = &analyze.Check{
	Code: "MSH0540", Name: "export-to-missing-namespace", Severity: analyze.Warning, KIA: "KIA0005",
	Reads: []mesh.Kind{mesh.Namespace},
	Uses:  []mesh.Kind{mesh.VirtualService, mesh.DestinationRule, mesh.ServiceEntry, mesh.Service},
	Doc: analyze.Doc{
		What: "exportTo of a VirtualService, DestinationRule or ServiceEntry, or the annotation networking.istio.io/exportTo of a Service, names a namespace that does not exist.",
		Why:  "Nobody there sees the object. If another namespace was meant, its proxies do without: requests go out as to an unknown host, without routes, subsets or TLS settings.",
		Fix:  "Correct the name; \".\" stands for the object's own namespace and \"*\" for all. A namespace that exists only in another cluster of the mesh is fine.",
	},
	Run: func(p *analyze.Pass) {
		j := newJudge(p)
		for _, vs := range p.VirtualServices() {
			j.list(vs.Object, vs.Spec.GetExportTo())
		}
		for _, dr := range p.DestinationRules() {
			j.list(dr.Object, dr.Spec.GetExportTo())
		}
		for _, se := range p.ServiceEntries() {
			j.list(se.Object, se.Spec.GetExportTo())
		}
		for _, svc := range p.Services() {
			for _, ns := range strings.Split(svc.Annotations[mesh.ExportToAnnotation], ",") {
				j.one(svc.At("metadata.annotations[%q]", mesh.ExportToAnnotation), strings.TrimSpace(ns))
			}
		}
	},
}

// judge knows the namespaces of the mesh.
type judge struct {
	*analyze.Pass
	names []string
	known bool
}

func newJudge(p *analyze.Pass) *judge {
	j := &judge{Pass: p, known: p.KnownEverywhere(mesh.Namespace)}
	for _, ns := range p.Namespaces() {
		j.names = append(j.names, ns.Name)
	}
	return j
}

func (j *judge) list(o *mesh.Object, exportTo []string) {
	for i, ns := range exportTo {
		j.one(o.At("spec.exportTo[%d]", i), ns)
	}
}

func (j *judge) one(at mesh.Location, namespace string) {
	switch {
	case namespace == "", strings.ContainsAny(namespace, "*.~"), namespace == at.Object.Namespace:
	case j.HasNamespace(namespace, mesh.VirtualService, mesh.DestinationRule, mesh.ServiceEntry, mesh.Service):
	case !j.known:
		j.CantTell(mesh.Namespace, "")
	default:
		f := j.Report(at, "there is no namespace %q to export to", namespace)
		j.MayBeElsewhere(f).Suggest("remove %q", namespace)
		j.Advise(func() {
			if best := hint.Closest(namespace, j.names); best != "" {
				f.Suggest("change it to %q", best)
			}
		})
	}
}
