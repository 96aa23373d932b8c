package serviceentry

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ConflictingProtocols finds ServiceEntries that do not agree what a port speaks.
var ConflictingProtocols = &analyze.Check{
	Code: "IST0177", Name: "conflicting-protocols", Severity: analyze.Warning, KIA: "KIA1212",
	Reads: []mesh.Kind{mesh.ServiceEntry},
	Uses:  mesh.ViewKinds(),
	Doc: analyze.Doc{
		What: "Several ServiceEntries that one proxy can see give the same port of the same host different protocols.",
		Why:  "Proxies listen for one protocol only, that of whichever ServiceEntry comes first: HTTP routes, metrics and policies are missing, or connections fail, and it changes when one of them is created anew.",
		Fix:  "Give the port one protocol, or keep the ServiceEntries apart with exportTo or Sidecars.",
	},
	Run: func(p *analyze.Pass) {
		by := map[hostPort][]spoken{}
		for _, se := range p.ServiceEntries() {
			for _, s := range protocolsOf(p, se) {
				by[s.hostPort] = append(by[s.hostPort], s)
			}
		}
		for _, se := range p.ServiceEntries() {
			reported := map[int]bool{}
			for _, s := range protocolsOf(p, se) {
				if rivals := disagreeing(p, s, by[s.hostPort]); len(rivals) > 0 && !reported[s.index] {
					reported[s.index] = true
					f := p.Report(s.object.At("spec.ports[%d].protocol", s.index), "port %d of %q is %s here and %s elsewhere", s.port, s.host, s.protocol, rivals[0].protocol)
					for _, r := range rivals {
						f.Evidence(r.object.At("spec.ports[%d].protocol", r.index), "says %s", r.protocol)
					}
					f.Suggest("give the port one protocol in all of them")
				}
			}
		}
	},
}

type hostPort struct {
	host string
	port uint32
}

// spoken is what a ServiceEntry says of one port of one host.
type spoken struct {
	hostPort
	protocol string
	object   *mesh.Object
	index    int
	exported mesh.Exported
}

func protocolsOf(p *analyze.Pass, se *mesh.Resource[*networking.ServiceEntry]) []spoken {
	var all []spoken
	exported := p.ExportedEntry(se)
	for _, host := range se.Spec.GetHosts() {
		full := p.FQDN(host, se.Namespace)
		for i, port := range se.Spec.GetPorts() {
			all = append(all, spoken{
				hostPort{full, port.GetNumber()}, strings.ToUpper(port.GetProtocol()),
				se.Object, i, exported.On(full, port.GetNumber()),
			})
		}
	}
	return all
}

// disagreeing are the first that say something else to somebody who hears both.
func disagreeing(p *analyze.Pass, s spoken, all []spoken) []spoken {
	var rivals []spoken
	for _, other := range all {
		if other.object != s.object && other.protocol != s.protocol && p.SeenTogether(s.exported, other.exported) {
			if rivals = append(rivals, other); len(rivals) == 3 {
				break
			}
		}
	}
	return rivals
}
