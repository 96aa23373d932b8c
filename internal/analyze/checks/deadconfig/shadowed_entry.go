package deadconfig

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ShadowedEntry finds ServiceEntries that a Service of the same name hides.
var ShadowedEntry = &analyze.Check{
	Code: "MSH0902", Name: "shadowed-service-entry", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.ServiceEntry, mesh.Service},
	Doc: analyze.Doc{
		What: "A ServiceEntry has the host of a Service of its own namespace, which all get that get the ServiceEntry, and no endpoints or workloads to add to it.",
		Why:  "Of two definitions of one host in one namespace istiod takes the Service: ports, protocols, addresses and resolution of the ServiceEntry are ignored without a word.",
		Fix:  "Remove the ServiceEntry and change the Service; or give the ServiceEntry a host of its own.",
	},
	Run: func(p *analyze.Pass) {
		for _, se := range p.ServiceEntries() {
			if len(se.Spec.GetEndpoints()) > 0 || se.Spec.GetWorkloadSelector() != nil {
				continue // its endpoints join those of the Service
			}
			for i, host := range se.Spec.GetHosts() {
				name, namespace, ok := p.ServiceName(p.FQDN(host, se.Namespace))
				if !ok || namespace != se.Namespace {
					continue
				}
				if svc := p.Get(mesh.Service, namespace, name); svc != nil && hidden(p, se, svc) {
					p.Report(se.At("spec.hosts[%d]", i), "the host is that of a Service, which istiod takes instead of this").
						Evidence(svc.At(""), "has the host").
						Suggest("remove the ServiceEntry, and say what it says in the Service")
				}
			}
		}
	},
}

// hidden says whether the Service is exported to all namespaces that the
// ServiceEntry is: what is left over sees the ServiceEntry.
func hidden(p *analyze.Pass, se *mesh.Resource[*networking.ServiceEntry], svc *mesh.Object) bool {
	for _, h := range p.Registry().All(p.FQDN(svc.Name, svc.Namespace)) {
		if h.Object != svc {
			continue
		}
		exportTo := p.ExportTo(mesh.ServiceEntry, se.Spec.GetExportTo())
		if len(exportTo) == 0 {
			exportTo = []string{"*"}
		}
		return !slices.ContainsFunc(exportTo, func(to string) bool {
			switch to {
			case "~":
				return false
			case ".":
				to = se.Namespace
			case "*":
				to = "" // any
			}
			return !h.VisibleFrom(to)
		})
	}
	return true
}
