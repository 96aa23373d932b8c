package virtualservice

import (
	"fmt"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingPort finds routes to ports that the destination does not have.
var MissingPort = &analyze.Check{
	Code: "IST0101", Name: "missing-port", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.VirtualService, mesh.Service, mesh.ServiceEntry},
	Doc: analyze.Doc{
		What: "A VirtualService sends or mirrors traffic to a port that the destination's Service or ServiceEntry does not have.",
		Why:  "Proxies have no cluster for that port: requests that match the route fail with 503 (response flag NC), although the host itself is fine.",
		Fix:  "Use a port of the Service, not the targetPort of its pods; or add the port to the Service.",
	},
	Run: func(p *analyze.Pass) {
		for _, vs := range p.VirtualServices() {
			for _, r := range mesh.Routes(vs.Spec) {
				number := r.Destination.GetPort().GetNumber()
				hosts := portHosts(p, p.FQDN(r.Destination.GetHost(), vs.Namespace))
				if number == 0 || len(hosts) == 0 || hasPort(hosts, number) {
					continue
				}
				f := p.Report(vs.At("%s.port.number", r.Path), "%s has no port %d: it has %s", hosts[0].Object.Ref, number, portList(hosts)).
					Evidence(hosts[0].Object.At("spec.ports"), "answers for %q", r.Destination.GetHost())
				if port := behind(hosts, number); port != 0 {
					f.Suggest("change it to %d, which leads to targetPort %d", port, number)
				} else if ports := portNumbers(hosts); len(ports) == 1 {
					f.Suggest("change it to %d", ports[0])
				}
			}
		}
	},
}

// portHosts are the hosts behind a name; none when one of them has ports that
// are not for us to know, as an ExternalName Service has.
func portHosts(p *analyze.Pass, fqdn string) []*mesh.Host {
	hosts := p.Registry().All(fqdn)
	for _, h := range hosts {
		if len(h.Ports) == 0 || h.Service != nil && h.Service.Type == core.ServiceTypeExternalName {
			return nil
		}
	}
	return hosts
}

func hasPort(hosts []*mesh.Host, number uint32) bool {
	for _, n := range portNumbers(hosts) {
		if n == number {
			return true
		}
	}
	return false
}

// portNumbers are the ports of all hosts, each once.
func portNumbers(hosts []*mesh.Host) []uint32 {
	var numbers []uint32
	seen := map[uint32]bool{}
	for _, h := range hosts {
		for _, port := range h.Ports {
			if !seen[port.Number] {
				seen[port.Number] = true
				numbers = append(numbers, port.Number)
			}
		}
	}
	return numbers
}

// portList is the ports as text: "80 (http), 9090 (grpc)".
func portList(hosts []*mesh.Host) string {
	const most = 5
	var parts []string
	seen := map[uint32]bool{}
	for _, h := range hosts {
		for _, port := range h.Ports {
			if seen[port.Number] {
				continue
			}
			seen[port.Number] = true
			text := strconv.FormatUint(uint64(port.Number), 10)
			if port.Name != "" {
				text = fmt.Sprintf("%d (%s)", port.Number, port.Name)
			}
			parts = append(parts, text)
		}
	}
	if len(parts) > most {
		parts = append(parts[:most], "...")
	}
	return strings.Join(parts, ", ")
}

// behind is the Service's port that leads to a targetPort; 0 when none does.
func behind(hosts []*mesh.Host, target uint32) uint32 {
	for _, h := range hosts {
		if h.Service == nil {
			continue
		}
		for _, port := range h.Service.Ports {
			if uint32(port.TargetPort.IntValue()) == target {
				return uint32(port.Port)
			}
		}
	}
	return 0
}
