package envoyfilter

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// gatewayHosts are the hosts and ports that the names of gateways' virtual hosts
// can be made of, over the whole mesh.
type gatewayHosts struct {
	hosts map[string]bool
	ports gatewayPorts
}

// gatewayPorts are the ports of all Gateways' servers.
type gatewayPorts map[uint32]bool

func gatewayPortsOf(p *analyze.Pass) gatewayPorts {
	all := gatewayPorts{}
	for _, gw := range p.Gateways() {
		for _, server := range gw.Spec.GetServers() {
			all[server.GetPort().GetNumber()] = true
		}
	}
	for _, gw := range p.KubernetesGateways() {
		for _, l := range gw.Spec.Listeners {
			all[uint32(l.Port)] = true
		}
	}
	for _, set := range p.ListenerSets() {
		for _, l := range set.Spec.Listeners {
			all[uint32(l.Port)] = true
		}
	}
	return all
}

// lacks says whether surely no Gateway has a server of the port. Ingresses have
// the ports 80 and 443.
func (x gatewayPorts) lacks(p *analyze.Pass, port uint32) bool {
	return !x[port] && allKnown(p, mesh.Gateway, mesh.KubernetesGateway, mesh.ListenerSet) && (port != 80 && port != 443 || p.KnowsIngresses())
}

func (x gatewayPorts) String() string {
	var texts []string
	for _, port := range slices.Sorted(maps.Keys(x)) {
		texts = append(texts, strconv.FormatUint(uint64(port), 10))
	}
	const few = 5
	return strings.Join(texts[:min(few, len(texts))], ", ")
}

// allKnown says whether the input holds all objects of the kinds.
func allKnown(p *analyze.Pass, kinds ...mesh.Kind) bool {
	for _, kind := range kinds {
		if !p.KnownEverywhere(kind) {
			p.CantTell(kind, "")
			return false
		}
	}
	return true
}

func gatewayHostsOf(p *analyze.Pass) gatewayHosts {
	all := gatewayHosts{map[string]bool{"*": true, "blackhole": true}, gatewayPortsOf(p)}
	add := func(host string) {
		host = strings.ToLower(host)
		all.hosts[host] = true
		if _, rest, found := strings.Cut(host, "/"); found {
			all.hosts[rest] = true
		}
	}
	for _, vs := range p.VirtualServices() {
		for _, host := range vs.Spec.GetHosts() {
			add(host)
			add(p.FQDN(host, vs.Namespace))
		}
	}
	for _, gw := range p.Gateways() {
		for _, server := range gw.Spec.GetServers() {
			for _, host := range server.GetHosts() {
				add(host)
			}
		}
	}
	listeners := func(entries []gatewayapi.Listener) {
		for _, l := range entries {
			if l.Hostname != nil {
				add(string(*l.Hostname))
			}
		}
	}
	for _, gw := range p.KubernetesGateways() {
		listeners(gw.Spec.Listeners)
	}
	for _, set := range p.ListenerSets() {
		listeners(mesh.ListenersOfSet(set).Entries)
	}
	for _, r := range p.HTTPRoutes() {
		for _, host := range r.Spec.Hostnames {
			add(string(host))
		}
	}
	for _, r := range p.GRPCRoutes() {
		for _, host := range r.Spec.Hostnames {
			add(string(host))
		}
	}
	return all
}

// lacks says whether surely no virtual host of this port is for the host.
func (x gatewayHosts) lacks(p *analyze.Pass, host string, port uint32) bool {
	return !x.hosts[strings.ToLower(host)] && allKnown(p, mesh.VirtualService, mesh.Gateway, mesh.KubernetesGateway, mesh.ListenerSet, mesh.HTTPRoute, mesh.GRPCRoute) &&
		(port != 80 && port != 443 || p.KnowsIngresses())
}

func (x gatewayHosts) names() []string { return slices.Sorted(maps.Keys(x.hosts)) }

// routeNames are the names of routes, and the hosts of VirtualServices.
type routeNames struct {
	names, hosts map[string]bool
	delegates    bool
}

func routeNamesOf(p *analyze.Pass) routeNames {
	all := routeNames{names: map[string]bool{}, hosts: map[string]bool{}}
	for _, vs := range p.VirtualServices() {
		for _, host := range vs.Spec.GetHosts() {
			all.hosts[strings.ToLower(host)] = true
			all.hosts[strings.ToLower(p.FQDN(host, vs.Namespace))] = true
		}
		for _, http := range vs.Spec.GetHttp() {
			all.delegates = all.delegates || http.GetDelegate() != nil
			all.add(http)
		}
	}
	named := func(route *mesh.Object, i int, name *gatewayapi.SectionName) {
		if name != nil {
			all.names[string(*name)] = true
		}
		all.names[fmt.Sprintf("%s.%s.%d", route.Namespace, route.Name, i)] = true
	}
	for _, r := range p.HTTPRoutes() {
		for i := range r.Spec.Rules {
			named(r.Object, i, r.Spec.Rules[i].Name)
		}
	}
	for _, r := range p.GRPCRoutes() {
		for i := range r.Spec.Rules {
			named(r.Object, i, r.Spec.Rules[i].Name)
		}
	}
	return all
}

func (x routeNames) add(http *networking.HTTPRoute) {
	x.names[http.GetName()] = true
	for _, match := range http.GetMatch() {
		if match.GetName() != "" {
			x.names[http.GetName()+"."+match.GetName()] = true
		}
	}
}

func (x routeNames) list() []string { return slices.Sorted(maps.Keys(x.names)) }
