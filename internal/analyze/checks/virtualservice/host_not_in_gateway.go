package virtualservice

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// HostNotInGateway finds hosts of VirtualServices that none of their Gateways serves.
var HostNotInGateway = &analyze.Check{
	Code: "IST0132", Name: "host-not-in-gateway", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.VirtualService, mesh.Gateway},
	Doc: analyze.Doc{
		What: "A host of a VirtualService is in no server of the Gateways that the VirtualService names.",
		Why:  "The routes are not in force for that host: requests for it that arrive at the gateway are answered with 404, or never get past the TLS handshake.",
		Fix:  "Add the host to a server of the Gateway, or correct the VirtualService's host. A Gateway host such as ./shop.example.com or shop/shop.example.com is for VirtualServices of that namespace only.",
	},
	Run: func(p *analyze.Pass) {
		indexes := map[*mesh.Object]*hostIndex{}
		for _, vs := range p.VirtualServices() {
			if gateways, ok := boundTo(p, vs, indexes); ok {
				judgeHosts(p, vs, gateways)
			}
		}
	},
}

// boundTo are the Gateways at the top of a VirtualService; ok is false when
// not all of them are Gateways that the input holds.
func boundTo(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService], indexes map[*mesh.Object]*hostIndex) (gateways []*hostIndex, ok bool) {
	for _, name := range mesh.GatewayNames(vs.Spec, vs.Namespace) {
		if !strings.HasPrefix(name.Path, "spec.gateways[") {
			continue
		}
		gw := mesh.As[*networking.Gateway](p.Get(mesh.Gateway, name.Namespace, name.Name))
		if gw == nil {
			return nil, false
		}
		if indexes[gw.Object] == nil {
			indexes[gw.Object] = newHostIndex(gw)
		}
		gateways = append(gateways, indexes[gw.Object])
	}
	return gateways, len(gateways) > 0
}

func judgeHosts(p *analyze.Pass, vs *mesh.Resource[*networking.VirtualService], gateways []*hostIndex) {
	var lost []int
	for i, host := range vs.Spec.GetHosts() {
		served := false
		for _, gw := range gateways {
			served = served || gw.serves(p.FQDN(host, vs.Namespace), vs.Namespace)
		}
		if !served {
			lost = append(lost, i)
		}
	}
	if mesh.InMesh(vs.Spec) {
		// Some hosts are for the gateways, the others for the mesh.
		if len(lost) == len(vs.Spec.GetHosts()) && len(lost) > 0 {
			f := p.Report(vs.At("spec.gateways"), "the gateways serve none of the hosts: the routes are in force for %q only", mesh.MeshGateway).As(analyze.Info)
			evidence(f, gateways)
		}
		return
	}
	for _, i := range lost {
		host := vs.Spec.GetHosts()[i]
		if owner := restricted(p.FQDN(host, vs.Namespace), gateways); owner != nil {
			p.Report(vs.At("spec.hosts[%d]", i), "%s serves %q for VirtualServices of other namespaces only, not of %q", owner.gateway.Ref, host, vs.Namespace).
				Evidence(owner.gateway.At("spec.servers"), "says in front of its hosts which namespaces may use them")
			continue
		}
		what := "the Gateway does"
		if len(gateways) > 1 {
			what = "its Gateways do"
		}
		f := p.Report(vs.At("spec.hosts[%d]", i), "%s not serve the host %q", what, host)
		evidence(f, gateways)
		if best := closest(host, gateways); best != "" {
			f.Suggest("change it to %q", best)
		}
	}
}

// restricted is a Gateway that would serve the host to another namespace.
func restricted(host string, gateways []*hostIndex) *hostIndex {
	for _, gw := range gateways {
		if gw.serves(host, "") {
			return gw
		}
	}
	return nil
}

// closest is the host of a Gateway that was probably meant.
func closest(host string, gateways []*hostIndex) string {
	var known []string
	for _, gw := range gateways {
		known = append(known, slices.Sorted(maps.Keys(gw.exact))...)
	}
	return hint.Closest(host, known)
}

func evidence(f *analyze.Finding, gateways []*hostIndex) {
	for _, gw := range gateways[:min(3, len(gateways))] {
		f.Evidence(gw.gateway.At("spec.servers"), "has other hosts")
	}
}

// hostIndex finds the hosts of a Gateway, of which it may have thousands.
type hostIndex struct {
	gateway *mesh.Object
	exact   map[string]namespaces // hosts as they are, wildcards included
	under   map[string]namespaces // ".example.com" for each host below it
}

// namespaces are those whose VirtualServices may use a host; "*" stands for all.
type namespaces map[string]bool

func newHostIndex(gw *mesh.Resource[*networking.Gateway]) *hostIndex {
	x := &hostIndex{gateway: gw.Object, exact: map[string]namespaces{}, under: map[string]namespaces{}}
	for _, server := range gw.Spec.GetServers() {
		for _, host := range server.GetHosts() {
			ns, name, found := strings.Cut(strings.ToLower(host), "/")
			switch {
			case !found:
				ns, name = "*", ns
			case ns == ".":
				ns = gw.Namespace
			}
			add(x.exact, name, ns)
			for i := range len(name) {
				if name[i] == '.' && i > 0 {
					add(x.under, name[i:], ns)
				}
			}
			add(x.under, "", ns)
		}
	}
	return x
}

func add(to map[string]namespaces, key, namespace string) {
	if to[key] == nil {
		to[key] = namespaces{}
	}
	to[key][namespace] = true
}

// allow says whether a namespace is among them; any will do for the empty one.
func (n namespaces) allow(namespace string) bool {
	return n["*"] || n[namespace] || (namespace == "" && len(n) > 0)
}

// serves says whether a host, or a part of what its wildcard means, is the
// Gateway's for VirtualServices of a namespace; of any when it is empty.
func (x *hostIndex) serves(host, namespace string) bool {
	if x.exact[host].allow(namespace) || x.exact["*"].allow(namespace) {
		return true
	}
	rest, wild := strings.CutPrefix(host, "*")
	if wild && x.under[rest].allow(namespace) {
		return true
	}
	for i := range len(rest) {
		if rest[i] == '.' && x.exact["*"+rest[i:]].allow(namespace) {
			return true
		}
	}
	return false
}
