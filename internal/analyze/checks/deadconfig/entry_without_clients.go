package deadconfig

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// EntryWithoutClients finds ServiceEntries that no proxy gets.
var EntryWithoutClients = &analyze.Check{
	Code: "MSH0905", Name: "service-entry-without-clients", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.ServiceEntry, mesh.Sidecar, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.Namespace, mesh.WorkloadEntry, mesh.KubernetesGateway),
	Doc: analyze.Doc{
		What: "No workload of the mesh gets a ServiceEntry: its exportTo leaves out every namespace in which something runs, or the Sidecars there do. It rests on what runs now.",
		Why:  "To every proxy the host is unknown, as if the ServiceEntry were not there: connections to it pass through unobserved, or are refused under REGISTRY_ONLY.",
		Fix:  "Add the clients' namespaces to exportTo and the host to their Sidecars' egress; or remove the ServiceEntry.",
	},
	Run: func(p *analyze.Pass) {
		if len(p.ServiceEntries()) == 0 || !p.KnownEverywhere(mesh.Pod) || !p.KnownEverywhere(mesh.Sidecar) {
			return
		}
		views := viewsOf(p)
		for _, se := range p.ServiceEntries() {
			if len(views) == 0 || slices.ContainsFunc(audience(p, se, views), func(v view) bool { return v.sees(p, se) }) {
				continue
			}
			p.Report(se.At("spec.hosts"), "no workload of the mesh sees these hosts: neither exportTo nor the Sidecars let any have them").
				Suggest("add the clients' namespaces to exportTo and the hosts to their Sidecars, or remove it")
		}
	},
}

// audience are the views of the namespaces that a ServiceEntry is exported to.
func audience(p *analyze.Pass, se *mesh.Resource[*networking.ServiceEntry], views []view) []view {
	exportTo := p.ExportTo(mesh.ServiceEntry, se.Spec.GetExportTo())
	if len(exportTo) == 0 || slices.Contains(exportTo, "*") {
		return views
	}
	var some []view
	for _, to := range exportTo {
		if to == "." {
			to = se.Namespace
		}
		i, found := slices.BinarySearchFunc(views, to, func(v view, ns string) int { return strings.Compare(v.namespace, ns) })
		for ; found && i < len(views) && views[i].namespace == to; i++ {
			some = append(some, views[i])
		}
	}
	return some
}

// view is what the workloads of a namespace see.
type view struct {
	namespace string
	all       bool // some see all that is exported to them
	hosts     []string
}

// viewsOf are the views of all namespaces in which something runs, by namespace.
func viewsOf(p *analyze.Pass) []view {
	sidecars := map[string][]*mesh.Resource[*networking.Sidecar]{}
	for _, sc := range p.Sidecars() {
		sidecars[sc.Namespace] = append(sidecars[sc.Namespace], sc)
	}
	seen := map[string]int{}
	var views []view
	for _, w := range p.Workloads() {
		ns := w.Object.Namespace
		i, known := seen[ns]
		if !known {
			i = len(views)
			seen[ns] = i
			views = append(views, viewOf(ns, sidecars[ns], sidecars[p.RootNamespace()]))
		}
		if w.IsGateway() || p.DataPlane(w) == mesh.InAmbient {
			views[i].all = true // Sidecars are not for them
		}
	}
	for _, gw := range p.KubernetesGateways() {
		views = append(views, view{namespace: gw.Namespace, all: true})
	}
	for _, we := range p.WorkloadEntries() {
		views = append(views, view{namespace: we.Namespace, all: true})
	}
	slices.SortStableFunc(views, func(a, b view) int { return strings.Compare(a.namespace, b.namespace) })
	return views
}

func viewOf(namespace string, own, root []*mesh.Resource[*networking.Sidecar]) view {
	v := view{namespace: namespace, all: true}
	for _, list := range [][]*mesh.Resource[*networking.Sidecar]{own, root} {
		for _, sc := range list {
			forAll := len(sc.Spec.GetWorkloadSelector().GetLabels()) == 0
			if sc.Namespace != namespace && !forAll {
				continue
			}
			if forAll {
				v.all = false
			}
			if len(sc.Spec.GetEgress()) == 0 {
				return view{namespace: namespace, all: true} // as if there were none
			}
			for _, egress := range sc.Spec.GetEgress() {
				v.hosts = append(v.hosts, egress.GetHosts()...)
			}
		}
	}
	return v
}

// sees says whether some workload of the namespace may get a ServiceEntry.
func (v view) sees(p *analyze.Pass, se *mesh.Resource[*networking.ServiceEntry]) bool {
	if !p.Visible(mesh.ServiceEntry, se.Spec.GetExportTo(), se.Namespace, v.namespace) {
		return false
	}
	if v.all {
		return true
	}
	for _, host := range v.hosts {
		ns, name, _ := strings.Cut(host, "/")
		if ns == "." {
			ns = v.namespace
		}
		if ns != "*" && ns != se.Namespace {
			continue
		}
		for _, h := range se.Spec.GetHosts() {
			if mesh.HostsOverlap(name, h) {
				return true
			}
		}
	}
	return false
}
