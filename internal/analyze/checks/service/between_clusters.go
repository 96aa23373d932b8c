package service

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// DiffersBetweenClusters finds Services that are not the same in all clusters of
// the mesh.
var DiffersBetweenClusters = &analyze.Check{
	Code: "IST0170", Name: "service-differs-between-clusters", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Service},
	Doc: analyze.Doc{
		What: "A Service of the same name and namespace is in several clusters of the mesh and differs there: in being headless or an ExternalName, or in its ports. Another type (LoadBalancer, NodePort, ClusterIP) concerns callers outside the mesh, and is only worth knowing.",
		Why:  "Istio takes Services of one name for one Service with the endpoints of all clusters. What differs is taken from one of them: calls reach ports that the other cluster's endpoints do not have, or with the wrong protocol.",
		Fix:  "Make the Services the same in all clusters, or give what is another service another name.",
	},
	Run: func(p *analyze.Pass) {
		for _, svc := range p.Services() {
			if !p.Owns(svc.Object) || mesh.IsSystemNamespace(svc.Namespace) || svc.Namespace == p.IstioNamespace() || isIstios(svc.Labels) || isAPIServer(svc.Object) {
				continue
			}
			for _, other := range p.Elsewhere(svc.Object) {
				// Each pair of clusters once, in the first one's view.
				if other.Origin.Cluster < svc.Origin.Cluster {
					continue
				}
				spec := mesh.As[*core.ServiceSpec](other).Spec
				if path, here, there := difference(svc.Spec, spec); path != "" {
					p.Report(svc.At("%s", path), "the Service differs between the clusters %q and %q: %s here, %s there", svc.Origin.Cluster, other.Origin.Cluster, here, there).
						Evidence(other.At("%s", path), "in cluster %q: %s", other.Origin.Cluster, there).
						Suggest("make both the same, or rename one of them")
				} else if here, there := typeOf(svc.Spec), typeOf(spec); here != there {
					p.Report(svc.At("spec.type"), "the Service is of another type in the cluster %q: %s here, %s there; in the mesh both are the same", other.Origin.Cluster, here, there).
						As(analyze.Info).Evidence(other.At("spec.type"), "is of type %s", there)
				}
			}
		}
	},
}

// difference is where two Services of one name differ in what matters to the
// mesh; the path is empty when they do not. Node ports and addresses are each
// cluster's own affair.
func difference(a, b *core.ServiceSpec) (path, here, there string) {
	switch {
	case (a.Type == core.ServiceTypeExternalName) != (b.Type == core.ServiceTypeExternalName):
		return "spec.type", typeOf(a), typeOf(b)
	case (a.ClusterIP == core.ClusterIPNone) != (b.ClusterIP == core.ClusterIPNone):
		return "spec.clusterIP", headless(a), headless(b)
	}
	if here, there := ports(a), ports(b); here != there {
		return "spec.ports", here, there
	}
	return "", "", ""
}

func typeOf(s *core.ServiceSpec) string {
	if s.Type == "" {
		return string(core.ServiceTypeClusterIP)
	}
	return string(s.Type)
}

func headless(s *core.ServiceSpec) string {
	if s.ClusterIP == core.ClusterIPNone {
		return "headless"
	}
	return "with an address"
}

// ports are a Service's ports as clients see them: "80 HTTP, 9090 GRPC".
func ports(s *core.ServiceSpec) string {
	byNumber := map[int32]string{}
	for _, port := range s.Ports {
		byNumber[port.Port] = strings.Trim(byNumber[port.Port]+"/"+protocolOf(port).String(), "/")
	}
	var all []string
	for _, number := range slices.Sorted(maps.Keys(byNumber)) {
		all = append(all, strings.TrimSuffix(fmt.Sprintf("%d %s", number, byNumber[number]), " UnsupportedProtocol"))
	}
	return strings.Join(all, ", ")
}

// isAPIServer says whether it is the Service that every cluster makes for its
// API server.
func isAPIServer(o *mesh.Object) bool { return o.Namespace == "default" && o.Name == "kubernetes" }
