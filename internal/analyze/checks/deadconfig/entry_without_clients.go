package deadconfig

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// EntryWithoutClients finds ServiceEntries that no proxy gets.
var EntryWithoutClients = &analyze.Check{
	Code: "MSH0905", Name: "service-entry-without-clients", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.ServiceEntry, mesh.Sidecar, mesh.VirtualService, mesh.Pod},
	Uses: append(append(mesh.WorkloadKinds()[1:], mesh.RouteKinds()...),
		mesh.Namespace, mesh.WorkloadEntry, mesh.WorkloadGroup, mesh.KubernetesGateway),
	Doc: analyze.Doc{
		What: "No workload of the mesh gets a ServiceEntry: its exportTo leaves out every namespace in which something runs, or the Sidecars there do. It rests on what runs now.",
		Why:  "To every proxy the host is unknown, as if the ServiceEntry were not there: connections to it pass through unobserved, or are refused under REGISTRY_ONLY.",
		Fix:  "Add the clients' namespaces to exportTo and the host to their Sidecars' egress; or remove the ServiceEntry.",
	},
	Run: func(p *analyze.Pass) {
		if len(p.ServiceEntries()) == 0 || !p.KnownEverywhere(mesh.Pod) || !p.KnownEverywhere(mesh.Sidecar) {
			return
		}
		if len(p.Workloads())+len(p.WorkloadEntries())+len(p.KubernetesGateways()) == 0 {
			return // configuration alone
		}
		for _, se := range p.ServiceEntries() {
			if p.SeenBySomeone(p.ExportedEntry(se)) {
				continue
			}
			p.Report(se.At("spec.hosts"), "no workload of the mesh sees these hosts: neither exportTo nor the Sidecars let any have them").
				Suggest("add the clients' namespaces to exportTo and the hosts to their Sidecars, or remove it")
		}
	},
}
