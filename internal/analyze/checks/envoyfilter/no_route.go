package envoyfilter

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NoSuchRoutes finds patches for route configurations that no proxy has.
var NoSuchRoutes = &analyze.Check{
	Code: "MSH0729", Name: "patch-for-no-routes", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter, mesh.Gateway},
	Uses:  []mesh.Kind{mesh.KubernetesGateway, mesh.ListenerSet, mesh.Service, mesh.ServiceEntry, mesh.Sidecar},
	Doc: analyze.Doc{
		What: "The route configuration that a patch matches cannot be: its name is one that istiod gives in another context, its port is none that a Gateway's server or, outbound, a host of the mesh has, or its gateway does not exist, is not written namespace/name, or terminates no HTTPS.",
		Why: "Gateways' routes are called http.8080 and https.443.port.gateway.namespace, sidecars' 8080 or host:8080, and inbound|8080||. The routes of all plain HTTP servers of one port are one configuration, " +
			"which has no gateway and no port name: a match on those fits HTTPS servers only. What fits nothing is left out without a word.",
		Fix: "Correct the name. To patch one host of a plain HTTP server match portNumber and vhost.name, such as shop.example.com:80.",
	},
	Run: func(p *analyze.Pass) {
		all := patches(p)
		outbound := sync.OnceValues(func() (map[uint32]bool, bool) { return outboundPorts(p, all) })
		atGateways := sync.OnceValue(func() gatewayPorts { return gatewayPortsOf(p) })
		for _, x := range all {
			match := x.spec.GetMatch().GetRouteConfiguration()
			if match == nil || !x.routes() || x.nameOfOthers(p, match.GetName()) {
				continue
			}
			switch x.spec.GetMatch().GetContext() {
			case networking.EnvoyFilter_GATEWAY:
				if match.GetGateway() != "" {
					x.judgeGateway(p, match.GetGateway())
				}
				if port := match.GetPortNumber(); port != 0 && atGateways().lacks(p, port) {
					p.Report(x.atRoutes("portNumber"), "no route configuration fits: no Gateway's server has the port %d", port).
						Suggest("match the port of the Gateway's server, not the one of its pods: %s", atGateways())
				}
			case networking.EnvoyFilter_SIDECAR_OUTBOUND:
				x.judgeRoutePort(p, match, outbound)
			}
		}
	},
}

// judgeRoutePort reports routes for a port that no host of the mesh has.
func (x patch) judgeRoutePort(p *analyze.Pass, match *networking.EnvoyFilter_RouteConfigurationMatch, outbound func() (map[uint32]bool, bool)) {
	field, number := "portNumber", match.GetPortNumber()
	if named, err := strconv.ParseUint(match.GetName(), 10, 16); err == nil {
		field, number = "name", uint32(named)
	}
	if parts := withPort.FindStringSubmatch(match.GetName()); len(parts) > 0 {
		at := x.atRoutes("name")
		named, _ := strconv.ParseUint(parts[2], 10, 16)
		clusterMatch{x, "route configuration", parts[1], "", uint32(named), at, at, at, true, true}.judge(p)
	}
	if number == 0 {
		return
	}
	if ports, known := outbound(); known && !ports[number] {
		p.Report(x.atRoutes(field), "no route configuration fits: no Service or ServiceEntry of the mesh has the port %d", number).
			Suggest("match the port that clients call, not the one of the pods")
	}
}

// routes says whether a patch is about routes.
func (x patch) routes() bool {
	switch x.spec.GetApplyTo() {
	case networking.EnvoyFilter_ROUTE_CONFIGURATION, networking.EnvoyFilter_VIRTUAL_HOST, networking.EnvoyFilter_HTTP_ROUTE:
		return true
	}
	return false
}

func (x patch) atRoutes(field string) mesh.Location {
	return x.filter.At("spec.configPatches[%d].match.routeConfiguration.%s", x.index, field)
}

var (
	ofGateway = regexp.MustCompile(`^http\.\d+|^https\.\d+\.`)
	ofSidecar = regexp.MustCompile(`^\d+$|^inbound\|`)
)

// nameOfOthers reports a name that istiod gives in another context.
func (x patch) nameOfOthers(p *analyze.Pass, name string) bool {
	context := x.spec.GetMatch().GetContext()
	inbound := strings.HasPrefix(name, "inbound|")
	switch {
	case name == "":
		return false
	case context == networking.EnvoyFilter_GATEWAY && ofSidecar.MatchString(name),
		(context == networking.EnvoyFilter_SIDECAR_INBOUND || context == networking.EnvoyFilter_SIDECAR_OUTBOUND) && ofGateway.MatchString(name),
		context == networking.EnvoyFilter_SIDECAR_OUTBOUND && inbound,
		context == networking.EnvoyFilter_SIDECAR_INBOUND && ofSidecar.MatchString(name) && !inbound:
	default:
		return false
	}
	f := p.Report(x.atRoutes("name"), "no route configuration fits: in the context %s none is called %q", context, name)
	switch {
	case ofGateway.MatchString(name):
		f.Suggest("change the context to GATEWAY, or match portNumber")
	case context == networking.EnvoyFilter_SIDECAR_INBOUND:
		f.Suggest(`change it to "inbound|%s||"`, name)
	case inbound:
		f.Suggest("change the context to SIDECAR_INBOUND")
	default:
		f.Suggest(`change it to "http.%s"`, name)
	}
	return true
}

// judgeGateway reports a gateway without routes of its own.
func (x patch) judgeGateway(p *analyze.Pass, name string) {
	at := x.atRoutes("gateway")
	namespace, short, full := strings.Cut(name, "/")
	if !full {
		p.Report(at, "no route configuration fits: gateway is compared as namespace/name, and %q has no namespace", name).
			Suggest("write %q", x.filter.Namespace+"/"+name)
		return
	}
	gw := p.Get(mesh.Gateway, namespace, short)
	switch {
	case strings.Contains(short, "istio-autogenerated-k8s-gateway"):
		return // of a Gateway of Kubernetes
	case gw != nil:
		x.judgeServers(p, mesh.As[*networking.Gateway](gw))
		return
	case !p.KnownIn(mesh.Gateway, namespace):
		p.CantTell(mesh.Gateway, namespace)
		return
	case p.Undiscovered(mesh.Gateway, namespace, short) != nil:
		return
	}
	f := p.Report(at, "no route configuration fits: there is no Gateway %q in namespace %q", short, namespace)
	p.Advise(func() {
		var there []string
		for _, other := range mesh.InNamespace(p.Gateways(), namespace) {
			there = append(there, other.Name)
		}
		if best := hint.Closest(short, there); best != "" {
			f.Suggest("change it to %q", namespace+"/"+best)
		}
	})
}

// judgeServers reports a Gateway none of whose servers terminates HTTPS.
func (x patch) judgeServers(p *analyze.Pass, gw *mesh.Resource[*networking.Gateway]) {
	for _, server := range gw.Spec.GetServers() {
		if strings.EqualFold(server.GetPort().GetProtocol(), "HTTPS") && server.GetBind() == "" {
			return
		}
	}
	p.Report(x.atRoutes("gateway"), "no route configuration fits: a match on gateway fits HTTPS servers only, and %s has none", gw.Ref).
		Evidence(gw.At("spec.servers"), "has other servers").
		Suggest("match portNumber and vhost instead of gateway")
}
