// Package serviceentry has the checks of ServiceEntries.
package serviceentry

import (
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	"istio.io/istio/pkg/config/protocol"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SharedPort finds ServiceEntries without address that want the same TCP port.
// One alone is fine, and with DNS capture every host has an address of its own.
var SharedPort = &analyze.Check{
	Code: "IST0134", Name: "addresses-required", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.ServiceEntry, mesh.ConfigMap},
	Uses:  mesh.ViewKinds(),
	Doc: analyze.Doc{
		What: "Several hosts of ServiceEntries have the same TCP port and no addresses, in a mesh whose proxies do not capture DNS.",
		Why:  "Without an address, a proxy tells TCP hosts apart by their port alone: all connections to that port go to one of the hosts, whichever was meant.",
		Fix:  "Give the ServiceEntries addresses, or let proxies capture DNS (meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE: \"true\"): istiod then allocates an address per host. For TLS, protocol TLS lets proxies look at the server name instead.",
	},
	Run: func(p *analyze.Pass) {
		config := p.MeshConfig()
		p.KnownIn(mesh.ConfigMap, p.IstioNamespace())
		proxies := config.GetDefaultConfig().GetProxyMetadata()
		if strings.EqualFold(proxies["ISTIO_META_DNS_CAPTURE"], "true") || strings.EqualFold(proxies["ISTIO_META_ENABLE_HBONE"], "true") {
			return // ambient mode captures DNS as well
		}
		byPort := map[uint32][]entry{}
		for _, se := range p.ServiceEntries() {
			for _, port := range tcpPorts(se.Spec) {
				byPort[port] = append(byPort[port], entry{se.Object, se.Spec})
			}
		}
		for _, se := range p.ServiceEntries() {
			for i, port := range se.Spec.GetPorts() {
				if slices.Contains(tcpPorts(se.Spec), port.GetNumber()) {
					sharedPort(p, entry{se.Object, se.Spec}, i, byPort[port.GetNumber()])
				}
			}
		}
	},
}

// compared is for how many others it is asked whether a Sidecar lets in both:
// first for those of the same namespace.
const compared = 64

type entry struct {
	object *mesh.Object
	spec   *networking.ServiceEntry
}

// tcpPorts are the ports that a ServiceEntry holds without an address.
func tcpPorts(se *networking.ServiceEntry) []uint32 {
	if len(se.GetAddresses()) > 0 || se.GetResolution() == networking.ServiceEntry_NONE {
		return nil
	}
	var numbers []uint32
	for _, port := range se.GetPorts() {
		switch protocol.Parse(port.GetProtocol()) {
		case protocol.TCP, protocol.Mongo, protocol.MySQL, protocol.Redis: // of TLS the proxy sees the server's name
			numbers = append(numbers, port.GetNumber())
		case protocol.Unsupported:
			if port.GetProtocol() == "" {
				numbers = append(numbers, port.GetNumber())
			}
		}
	}
	return numbers
}

// sharedPort reports a port that another host has too, where both can be seen.
func sharedPort(p *analyze.Pass, se entry, i int, all []entry) {
	var rivals []entry
	number := se.spec.GetPorts()[i].GetNumber()
	self, own, left := slices.IndexFunc(all, func(other entry) bool { return other.object == se.object }), exported(p, se, number), compared
	for n := 0; n < len(all) && left > 0; n++ {
		other := all[(self+n)%len(all)]
		if other.object == se.object || slices.Equal(other.spec.GetHosts(), se.spec.GetHosts()) {
			continue
		}
		theirs := exported(p, other, number)
		if !p.ExportedTogether(own, theirs) {
			continue
		}
		left--
		if p.SeenTogether(own, theirs) {
			if rivals = append(rivals, other); len(rivals) == 3 {
				break
			}
		}
	}
	if len(rivals) == 0 && !severalSeen(p, own) {
		return
	}
	if config := p.MeshConfig(); config.Object == nil || config.Problem != "" {
		p.CantTell(mesh.ConfigMap, p.IstioNamespace()) // nobody knows whether DNS is captured
		return
	}
	f := p.Report(se.object.At("spec.ports[%d]", i), "TCP port %d has several hosts without addresses: proxies cannot tell them apart", number)
	for _, r := range rivals {
		f.Evidence(r.object.At("spec.hosts"), "has the port too")
	}
	f.Suggest("add addresses, or capture DNS in the mesh's proxies")
}

func exported(p *analyze.Pass, se entry, port uint32) mesh.Exported {
	x := p.ExportedEntry(&mesh.Resource[*networking.ServiceEntry]{Object: se.object, Spec: se.spec})
	x.Port = port
	return x
}

// severalSeen says whether some proxy sees two hosts of one entry. Of many hosts
// the first are compared with each other.
func severalSeen(p *analyze.Pass, x mesh.Exported) bool {
	const few = 8
	hosts := x.Hosts[:min(few, len(x.Hosts))]
	for i, a := range hosts {
		for _, b := range hosts[i+1:] {
			if p.SeenTogether(x.On(a, x.Port), x.On(b, x.Port)) {
				return true
			}
		}
	}
	return len(x.Hosts) > few
}
