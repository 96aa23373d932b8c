package virtualservice

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// hiddenHost reports a destination that exists but is exported to none of the
// namespaces whose sidecars get the VirtualService. What gateways see depends on
// where they run, so VirtualServices with gateways are left alone.
func hiddenHost(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService], at mesh.Location, hosts []*mesh.Host) {
	if len(vs.Spec.GetGateways()) > 0 && !slices.Equal(vs.Spec.GetGateways(), []string{mesh.MeshGateway}) {
		return
	}
	clients := clientNamespaces(p, vs)
	forAll := p.Visible(mesh.VirtualService, vs.Spec.GetExportTo(), vs.Namespace, "")
	for _, h := range hosts {
		if slices.ContainsFunc(clients, h.VisibleFrom) || forAll && h.ExportedByName() {
			return
		}
	}
	first, field := hosts[0].Object, "spec.exportTo"
	if hosts[0].Service != nil {
		field = `metadata.annotations["` + mesh.ExportToAnnotation + `"]`
	}
	p.Report(at, "%s answers for this host, but is not exported to namespace %q", first.Ref, vs.Namespace).
		Suggest("add %q to %s of %s", vs.Namespace, field, first.Ref).
		Evidence(first.At("%s", field), "is exported elsewhere only")
}

// clientNamespaces are namespaces whose sidecars can use a VirtualService: its
// own, those that it is exported to by name, and, when it is exported to all,
// those that its hosts live in: somebody may configure another team's host.
func clientNamespaces(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService]) []string {
	namespaces := []string{vs.Namespace}
	for _, to := range p.ExportTo(mesh.VirtualService, vs.Spec.GetExportTo()) {
		if !strings.ContainsAny(to, "*.~") {
			namespaces = append(namespaces, to)
		}
	}
	if !p.Visible(mesh.VirtualService, vs.Spec.GetExportTo(), vs.Namespace, "") {
		return namespaces
	}
	for _, host := range vs.Spec.GetHosts() {
		for _, h := range p.Registry().All(p.FQDN(host, vs.Namespace)) {
			namespaces = append(namespaces, h.Object.Namespace)
		}
	}
	return namespaces
}
