package mtls

import (
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

type rule = *mesh.Resource[*networking.DestinationRule]

// contact is one port of a workload behind a Service, and how a
// DestinationRule makes clients talk to it.
type contact struct {
	rule     rule
	client   networking.ClientTLSSettings_TLSmode
	from     mesh.Location // the client's mode
	host     string
	port     int32
	workload *mesh.Workload

	server mesh.PeerMode
	policy mesh.Location // the server's mode
	scope  mesh.PeerScope
}

// kinds are what contacts ask for besides DestinationRule and PeerAuthentication.
func kinds() []mesh.Kind {
	return append(append(mesh.WorkloadKinds()[1:], mesh.RouteKinds()...), mesh.Namespace, mesh.ServiceEntry,
		mesh.Sidecar, mesh.VirtualService, mesh.WorkloadEntry, mesh.WorkloadGroup, mesh.KubernetesGateway)
}

// contacts calls f for each port of each Service and each workload behind it
// with a proxy, for which a DestinationRule in force sets a TLS mode.
func contacts(p *analyze.Pass, f func(contact)) {
	for _, svc := range p.Services() {
		if len(svc.Spec.Selector) == 0 || svc.Spec.Type == core.ServiceTypeExternalName {
			continue
		}
		fqdn := p.FQDN(svc.Name+"."+svc.Namespace+".svc."+p.ClusterDomain(), svc.Namespace)
		rules := inForce(p, fqdn, svc.Namespace)
		if len(rules) == 0 {
			continue
		}
		servers := serversOf(p, svc)
		for _, r := range rules {
			for _, port := range svc.Spec.Ports {
				mode, from, ok := modeFor(r, uint32(port.Port))
				if !ok || port.Protocol == core.ProtocolUDP {
					continue
				}
				for _, w := range servers {
					c := contact{rule: r, client: mode, from: from, host: fqdn, port: port.Port, workload: w}
					if c.judgeable(p, w.TargetPort(port)) {
						f(c)
					}
				}
			}
		}
	}
}

// serversOf are the workloads behind a Service whose proxies enforce PeerAuthentications.
func serversOf(p *analyze.Pass, svc *mesh.Resource[*core.ServiceSpec]) []*mesh.Workload {
	var servers []*mesh.Workload
	for _, w := range p.Select(svc.Namespace, svc.Spec.Selector) {
		switch in := p.DataPlane(w); {
		case w.IsGateway(), in == mesh.OutOfMesh, in == mesh.InAmbient:
		case in == mesh.Undecided:
			p.CantTell(mesh.Namespace, w.Object.Namespace)
		default:
			servers = append(servers, w)
		}
	}
	return servers
}

// judgeable fills in the server's side of a contact; it is false when that
// rests on more than the input tells, or the proxy does not see the port.
func (c *contact) judgeable(p *analyze.Pass, target uint32) bool {
	if target == 0 || !captured(c.workload, target) {
		return false
	}
	policies := p.PeerPolicies(c.workload)
	if policies.Ambiguous {
		return false
	}
	c.server, c.policy, c.scope = policies.Mode(target)
	if c.scope == mesh.MeshScope && c.workload.Object.Namespace != p.RootNamespace() && !p.KnownIn(mesh.PeerAuthentication, c.workload.Object.Namespace) {
		p.CantTell(mesh.PeerAuthentication, c.workload.Object.Namespace)
		return false
	}
	return true
}

// captured says whether a workload's proxy sees the connections to a port.
func captured(w *mesh.Workload, port uint32) bool {
	in := func(list string) bool {
		for _, item := range strings.Split(list, ",") {
			if item = strings.TrimSpace(item); item == "*" || item == strconv.Itoa(int(port)) {
				return true
			}
		}
		return false
	}
	if only, set := w.PodAnnotations["traffic.sidecar.istio.io/includeInboundPorts"]; set && !in(only) {
		return false
	}
	return !in(w.PodAnnotations["traffic.sidecar.istio.io/excludeInboundPorts"])
}

// inForce are the DestinationRules for a host of a namespace that some client
// obeys and that set a TLS mode: of each namespace the most exact; those of
// others than the host's and the root namespace only if they have clients; and
// those of the root namespace only if the host's own has none.
func inForce(p *analyze.Pass, fqdn, namespace string) []rule {
	most := map[string]string{}  // the host of the most exact rule, by namespace
	policies := map[string]int{} // rules of that host with a policy: istiod takes the oldest's
	var found []rule
	exported := false
	for _, r := range p.RulesFor(fqdn) {
		host := p.FQDN(r.Spec.GetHost(), r.Namespace)
		if best, known := most[r.Namespace]; known && best != host {
			continue
		}
		most[r.Namespace] = host
		exported = exported || r.Namespace == namespace && p.Visible(mesh.DestinationRule, r.Spec.GetExportTo(), namespace, "")
		if r.Spec.GetTrafficPolicy() != nil {
			policies[r.Namespace]++
		}
		if setsTLS(r.Spec.GetTrafficPolicy()) && r.Spec.GetWorkloadSelector() == nil {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		return nil
	}
	host := hostIn(p, fqdn, namespace)
	return slices.DeleteFunc(found, func(r rule) bool {
		return policies[r.Namespace] > 1 || host == nil || !obeyed(p, r, host, exported)
	})
}

// hostIn is the host of a namespace's Service.
func hostIn(p *analyze.Pass, fqdn, namespace string) *mesh.Host {
	for _, h := range p.Registry().All(fqdn) {
		if h.Service != nil && h.Object.Namespace == namespace {
			return h
		}
	}
	return nil
}

// obeyed says whether clients of a host get a rule and the host; exported says
// that the host's own namespace has a rule for all of them.
func obeyed(p *analyze.Pass, r rule, host *mesh.Host, exported bool) bool {
	namespace := host.Object.Namespace
	switch {
	case r.Namespace == namespace:
	case r.Namespace != p.RootNamespace():
		return p.Visible(mesh.DestinationRule, r.Spec.GetExportTo(), r.Namespace, r.Namespace) && hasClients(p, r.Namespace) && p.SeesHost(r.Namespace, host)
	case exported || !p.Visible(mesh.DestinationRule, r.Spec.GetExportTo(), r.Namespace, namespace):
		return false
	case !p.KnownIn(mesh.DestinationRule, namespace):
		p.CantTell(mesh.DestinationRule, namespace)
		return false
	}
	return seen(p, r, host)
}

// seen says whether somebody who gets the rule is told of the host.
func seen(p *analyze.Pass, r rule, host *mesh.Host) bool {
	if p.Visible(mesh.DestinationRule, r.Spec.GetExportTo(), r.Namespace, "") {
		return p.SeenBySomeone(host.Exported())
	}
	return slices.ContainsFunc(p.ExportTo(mesh.DestinationRule, r.Spec.GetExportTo()), func(to string) bool {
		if to == "." {
			to = r.Namespace
		}
		return p.SeesHost(to, host)
	})
}

func hasClients(p *analyze.Pass, namespace string) bool {
	for _, w := range p.WorkloadsIn(namespace) {
		if p.DataPlane(w) == mesh.InSidecar {
			return true
		}
	}
	return false
}

func setsTLS(policy *networking.TrafficPolicy) bool {
	if policy.GetTls() != nil {
		return true
	}
	for _, port := range policy.GetPortLevelSettings() {
		if port.GetTls() != nil {
			return true
		}
	}
	return false
}

// modeFor is the TLS mode that a rule sets for a port. The settings of a port
// replace those of the host altogether.
func modeFor(r rule, port uint32) (networking.ClientTLSSettings_TLSmode, mesh.Location, bool) {
	policy := r.Spec.GetTrafficPolicy()
	for i, own := range policy.GetPortLevelSettings() {
		if own.GetPort().GetNumber() == port {
			return own.GetTls().GetMode(), r.At("spec.trafficPolicy.portLevelSettings[%d].tls.mode", i), own.GetTls() != nil
		}
	}
	return policy.GetTls().GetMode(), r.At("spec.trafficPolicy.tls.mode"), policy.GetTls() != nil
}
