package mesh

import (
	"fmt"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// Route is one destination that a VirtualService sends traffic to.
type Route struct {
	// Path is the destination's field, such as spec.http[0].route[1].destination.
	Path        string
	Destination *networking.Destination
	// Mirror is true for copies of traffic.
	Mirror bool
	// HTTP is the rule that the destination is in; nil for TCP and TLS rules.
	HTTP *networking.HTTPRoute
}

// Routes are all destinations of a VirtualService in the order they stand there.
func Routes(vs *networking.VirtualService) []Route {
	var routes []Route
	add := func(d *networking.Destination, http *networking.HTTPRoute, mirror bool, format string, args ...any) {
		if d != nil {
			routes = append(routes, Route{Path: fmt.Sprintf(format, args...), Destination: d, Mirror: mirror, HTTP: http})
		}
	}
	for i, http := range vs.GetHttp() {
		for j, r := range http.GetRoute() {
			add(r.GetDestination(), http, false, "spec.http[%d].route[%d].destination", i, j)
		}
		add(http.GetMirror(), http, true, "spec.http[%d].mirror", i)
		for j, m := range http.GetMirrors() {
			add(m.GetDestination(), http, true, "spec.http[%d].mirrors[%d].destination", i, j)
		}
	}
	for i, tcp := range vs.GetTcp() {
		for j, r := range tcp.GetRoute() {
			add(r.GetDestination(), nil, false, "spec.tcp[%d].route[%d].destination", i, j)
		}
	}
	for i, tls := range vs.GetTls() {
		for j, r := range tls.GetRoute() {
			add(r.GetDestination(), nil, false, "spec.tls[%d].route[%d].destination", i, j)
		}
	}
	return routes
}

// GatewayName is a Gateway that a VirtualService names.
type GatewayName struct {
	// Path is the field that names it, such as spec.gateways[0].
	Path string
	// Namespace and Name are the Gateway's, as Istio reads the text.
	Namespace, Name string
	// Text is what stands there.
	Text string
}

// MeshGateway is the name that stands for all sidecars.
const MeshGateway = "mesh"

// GatewayNames are the Gateways that a VirtualService of a namespace names, at
// the top and in its matches, without "mesh".
func GatewayNames(vs *networking.VirtualService, namespace string) []GatewayName {
	var names []GatewayName
	add := func(list []string, format string, args ...any) {
		for i, text := range list {
			if text == MeshGateway || text == "" {
				continue
			}
			ns, name := splitGatewayName(text, namespace)
			names = append(names, GatewayName{Path: fmt.Sprintf("%s[%d]", fmt.Sprintf(format, args...), i), Namespace: ns, Name: name, Text: text})
		}
	}
	add(vs.GetGateways(), "spec.gateways")
	for i, http := range vs.GetHttp() {
		for j, m := range http.GetMatch() {
			add(m.GetGateways(), "spec.http[%d].match[%d].gateways", i, j)
		}
	}
	for i, tls := range vs.GetTls() {
		for j, m := range tls.GetMatch() {
			add(m.GetGateways(), "spec.tls[%d].match[%d].gateways", i, j)
		}
	}
	for i, tcp := range vs.GetTcp() {
		for j, m := range tcp.GetMatch() {
			add(m.GetGateways(), "spec.tcp[%d].match[%d].gateways", i, j)
		}
	}
	return names
}

// splitGatewayName reads ns/name, ./name, name, and the old name.ns.svc.domain.
func splitGatewayName(text, namespace string) (ns, name string) {
	if ns, name, found := strings.Cut(text, "/"); found {
		if ns == "." {
			ns = namespace
		}
		return ns, name
	}
	name, rest, found := strings.Cut(text, ".")
	if !found {
		return namespace, text
	}
	ns, _, _ = strings.Cut(rest, ".")
	return ns, name
}

// InMesh says whether a VirtualService applies to sidecars: it names no
// Gateway, or "mesh" among them.
func InMesh(vs *networking.VirtualService) bool {
	for _, g := range vs.GetGateways() {
		if g == MeshGateway {
			return true
		}
	}
	return len(vs.GetGateways()) == 0
}
