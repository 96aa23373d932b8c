package gatewayapi

import (
	"fmt"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SharedListener finds Gateways of one deployment that want the same port for
// different things.
var SharedListener = &analyze.Check{
	Code: "MSH0303", Name: "gateways-share-listener", Severity: analyze.Warning, KIA: "KIA1501",
	Reads: []mesh.Kind{mesh.KubernetesGateway},
	Uses:  []mesh.Kind{mesh.GatewayClass},
	Doc: analyze.Doc{
		What: "Two Gateways whose addresses name the same Service have listeners on one port that cannot live together: TLS for the same host, TCP twice, or different protocols. Plain HTTP listeners of the same host are fine, their routes are merged.",
		Why:  "One proxy serves both Gateways, and a port can do only one of these. The older Gateway gets it; the listener of the other is not served, though its status may say so.",
		Fix:  "Give the listeners different hostnames or ports, keep only one of them, or leave out spec.addresses, so that each Gateway gets a deployment of its own.",
	},
	Run: func(p *analyze.Pass) {
		bySpot := map[string]claims{}
		for _, gw := range p.KubernetesGateways() {
			if !isIstio(p, gw.Spec.GatewayClassName) || gw.Spec.GatewayClassName == remoteClass {
				continue
			}
			for _, service := range addresses(p, gw) {
				for i := range gw.Spec.Listeners {
					l := &gw.Spec.Listeners[i]
					if layer(l.Protocol) == "" {
						continue
					}
					spot := fmt.Sprintf("%s:%d", service, l.Port)
					if bySpot[spot] == nil {
						bySpot[spot] = claims{}
					}
					if other, ok := bySpot[spot].against(gw, l); ok {
						sharedListener(p, gw, i, other, service)
					}
					bySpot[spot].add(owned{gw, l})
				}
			}
		}
	},
}

// owned is a listener and its Gateway.
type owned struct {
	gateway  *mesh.Resource[*gatewayapi.GatewaySpec]
	listener *gatewayapi.Listener
}

// claims are the listeners on one port of a Service: the first of each layer,
// and of TLS the first for each host.
type claims map[string]owned

func (c claims) add(o owned) {
	for _, key := range []string{layer(o.listener.Protocol), layer(o.listener.Protocol) + "/" + hostname(o.listener)} {
		if _, taken := c[key]; !taken {
			c[key] = o
		}
	}
}

// against is a listener of another Gateway that cannot share the port with l.
func (c claims) against(gw *mesh.Resource[*gatewayapi.GatewaySpec], l *gatewayapi.Listener) (owned, bool) {
	for _, key := range []string{"tls/" + hostname(l), "http", "tls", "tcp"} {
		if o, ok := c[key]; ok && o.gateway.Object != gw.Object && clash(o.listener, l) {
			return o, true
		}
	}
	return owned{}, false
}

// clash says whether one proxy cannot serve both listeners on a port.
func clash(a, b *gatewayapi.Listener) bool {
	la, lb := layer(a.Protocol), layer(b.Protocol)
	switch {
	case la != lb, la == "tcp":
		return true
	case la == "tls":
		return hostname(a) == hostname(b)
	}
	return false
}

// layer is what a port has to be for a listener; empty for UDP, which is a port
// of its own, and for protocols of someone else's.
func layer(protocol gatewayapi.ProtocolType) string {
	switch protocol {
	case gatewayapi.HTTPProtocolType:
		return "http"
	case gatewayapi.HTTPSProtocolType, gatewayapi.TLSProtocolType:
		return "tls"
	case gatewayapi.TCPProtocolType:
		return "tcp"
	}
	return ""
}

// hostname is the host a listener is for, "*" for all.
func hostname(l *gatewayapi.Listener) string {
	if l.Hostname == nil || *l.Hostname == "" {
		return "*"
	}
	return string(*l.Hostname)
}

func sharedListener(p *analyze.Pass, gw *mesh.Resource[*gatewayapi.GatewaySpec], i int, other owned, service string) {
	l := &gw.Spec.Listeners[i]
	p.Report(gw.At("spec.listeners[%d]", i), "listener %q wants port %d of %q for %s, which Gateway %q wants for %s",
		l.Name, l.Port, service, wish(l), other.gateway.Namespace+"/"+other.gateway.Name, wish(other.listener)).
		Evidence(mesh.ListenersOf(other.gateway).At(other.listener), "is on the same port of the same Service")
}

// wish is what a listener is for: its protocol, and its host if it has one.
func wish(l *gatewayapi.Listener) string {
	if layer(l.Protocol) == "tcp" || hostname(l) == "*" {
		return string(l.Protocol)
	}
	return fmt.Sprintf("%s of %q", l.Protocol, hostname(l))
}

// addresses are the Services that a Gateway without a deployment of its own is
// served by; none when istiod makes it one.
func addresses(p *analyze.Pass, gw *mesh.Resource[*gatewayapi.GatewaySpec]) []string {
	var services []string
	for _, a := range gw.Spec.Addresses {
		if a.Type != nil && *a.Type == gatewayapi.HostnameAddressType && a.Value != "" {
			services = append(services, p.FQDN(a.Value, gw.Namespace))
		}
	}
	return services
}
