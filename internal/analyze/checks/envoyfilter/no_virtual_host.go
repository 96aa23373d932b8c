package envoyfilter

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NoSuchVirtualHost finds patches for virtual hosts and routes that no proxy has.
var NoSuchVirtualHost = &analyze.Check{
	Code: "MSH0730", Name: "patch-for-no-virtual-host", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter, mesh.VirtualService},
	Uses:  []mesh.Kind{mesh.Gateway, mesh.KubernetesGateway, mesh.ListenerSet, mesh.HTTPRoute, mesh.GRPCRoute, mesh.Service, mesh.ServiceEntry},
	Doc: analyze.Doc{
		What: "The virtual host or the route that a patch matches cannot be: its name lacks the port, has the port of the pods instead of the server's, is of a host that the mesh does not have, " +
			"or is that of a route which no VirtualService names.",
		Why: "istiod calls virtual hosts host:port: at gateways with the host of the VirtualService and the port of the Gateway's server, such as shop.example.com:80; at sidecars with the full name and " +
			"the port of the Service, inbound inbound|http|8080. Their domains have no port at gateways. Routes are called after the VirtualService's http name, and default without one. What fits nothing is left out without a word.",
		Fix: "Correct the name. `meshctl proxy-config routes POD -o json` shows the names that a proxy has.",
	},
	Run: func(p *analyze.Pass) {
		all := patches(p)
		j := hostJudge{
			pass: p, brought: namesIn(all),
			gateways: sync.OnceValue(func() gatewayHosts { return gatewayHostsOf(p) }),
			routes:   sync.OnceValue(func() routeNames { return routeNamesOf(p) }),
		}
		for i, x := range all {
			vhost := x.spec.GetMatch().GetRouteConfiguration().GetVhost()
			ofHost := x.spec.GetApplyTo() == networking.EnvoyFilter_VIRTUAL_HOST && x.op() != opAdd
			ofRoute := x.spec.GetApplyTo() == networking.EnvoyFilter_HTTP_ROUTE
			if vhost == nil || !ofHost && !ofRoute || ancient(x.version()) {
				continue
			}
			j.judge(x, i, vhost)
			if name := vhost.GetRoute().GetName(); ofRoute && x.op() != opAdd && name != "" && !j.brought.byOthers(name, i) {
				j.route(x, name)
			}
		}
	},
}

var (
	withPort    = regexp.MustCompile(`^(.+):(\d+)$`)
	inboundHost = regexp.MustCompile(`^inbound\|http\|\d+$`)
)

// catchAll are the virtual hosts of what sidecars send to no host of the mesh,
// and default is one at waypoints.
var catchAll = []string{"allow_any", "block_all", "allow_any_dynamic_dns", "default"}

// hostJudge judges virtual hosts and routes.
type hostJudge struct {
	pass     *analyze.Pass
	brought  brought
	gateways func() gatewayHosts
	routes   func() routeNames
}

func (j hostJudge) judge(x patch, i int, vhost *networking.EnvoyFilter_RouteConfigurationMatch_VirtualHostMatch) {
	name, domain := vhost.GetName(), vhost.GetDomainName()
	context := x.spec.GetMatch().GetContext()
	if domain != "" && context == networking.EnvoyFilter_GATEWAY {
		j.domain(x, domain)
	}
	parts := withPort.FindStringSubmatch(name)
	switch {
	case name == "" || j.brought.byOthers(name, i) || slices.Contains(catchAll, name):
	case inboundHost.MatchString(name):
		if context == networking.EnvoyFilter_GATEWAY || context == networking.EnvoyFilter_SIDECAR_OUTBOUND {
			j.pass.Report(x.atRoutes("vhost.name"), "no virtual host fits: in the context %s none is called %q", context, name).
				Suggest("change the context to SIDECAR_INBOUND")
		}
	case context == networking.EnvoyFilter_SIDECAR_INBOUND:
		f := j.pass.Report(x.atRoutes("vhost.name"), "no virtual host fits: those for inbound traffic are called inbound|http|PORT, and not %q", name)
		if len(parts) > 0 {
			f.Suggest("change it to %q, or the context to SIDECAR_OUTBOUND", "inbound|http|"+parts[2])
		}
	case len(parts) == 0:
		j.withoutPort(x, name)
	default:
		j.hostAndPort(x, parts[1], parts[2])
	}
}

// domain reports a domain with a port, which virtual hosts of gateways do not have.
func (j hostJudge) domain(x patch, domain string) {
	parts := withPort.FindStringSubmatch(domain)
	if len(parts) > 0 && (!strings.Contains(parts[1], ":") || strings.HasSuffix(parts[1], "]")) { // else an IPv6 address
		j.pass.Report(x.atRoutes("vhost.domainName"), "no virtual host fits: domains at gateways have no port, and %q has one", domain).
			Suggest("change it to %q, or match vhost.name", parts[1]).
			Replace(x.atRoutes("vhost.domainName"), parts[1])
	}
}

// withoutPort reports a name that is a host without its port.
func (j hostJudge) withoutPort(x patch, name string) {
	f := j.pass.Report(x.atRoutes("vhost.name"), "no virtual host fits: they are called host:port, and %q has no port", name)
	if x.spec.GetMatch().GetContext() == networking.EnvoyFilter_GATEWAY {
		f.Suggest(`add the port of the Gateway's server, such as "%s:80", or match vhost.domainName`, name)
		return
	}
	f.Suggest(`add the port, such as "%s:80", and write the host in full`, name)
}

// hostAndPort reports a name with a port or host that the mesh has not.
func (j hostJudge) hostAndPort(x patch, host, port string) {
	number, err := strconv.ParseUint(port, 10, 32)
	if err != nil {
		return
	}
	switch x.spec.GetMatch().GetContext() {
	case networking.EnvoyFilter_GATEWAY:
		j.atGateway(x, host, uint32(number))
	case networking.EnvoyFilter_SIDECAR_OUTBOUND:
		if !strings.Contains(host, ".") || allKnown(j.pass, mesh.VirtualService) && !j.routes().hosts[strings.ToLower(host)] {
			at := x.atRoutes("vhost.name")
			clusterMatch{x, "virtual host", host, "", uint32(number), at, at, at, true, true}.judge(j.pass)
		}
	}
}

func (j hostJudge) atGateway(x patch, host string, port uint32) {
	p, there := j.pass, j.gateways()
	at := x.atRoutes("vhost.name")
	switch {
	case there.ports.lacks(p, port):
		p.Report(at, "no virtual host fits: no Gateway's server has the port %d, with which %q ends", port, host+":"+strconv.Itoa(int(port))).
			Suggest("write the port of the Gateway's server, not the one of its pods: %s", there.ports)
	case there.ports[port] && there.lacks(p, host, port):
		f := p.Report(at, "no virtual host fits: no VirtualService and no route of the mesh has the host %q", host)
		p.Advise(func() {
			if best := hint.Closest(strings.ToLower(host), there.names()); best != "" {
				f.Suggest("change it to %q", best+":"+strconv.Itoa(int(port)))
			}
		})
	}
}

// route reports a route that has no such name in any VirtualService.
func (j hostJudge) route(x patch, name string) {
	p, there := j.pass, j.routes()
	if slices.Contains(catchAll, name) || there.names[name] || there.delegates && strings.Contains(name, "-") {
		return
	}
	if !allKnown(p, mesh.VirtualService, mesh.HTTPRoute, mesh.GRPCRoute) || !p.KnowsIngresses() {
		return
	}
	f := p.Report(x.atRoutes("vhost.route.name"), "no route fits: no VirtualService has a route that is called %q", name)
	p.Advise(func() {
		if best := hint.Closest(name, there.list()); best != "" {
			f.Suggest("change it to %q", best)
		} else {
			f.Suggest("give the route in the VirtualService this name")
		}
	})
}
