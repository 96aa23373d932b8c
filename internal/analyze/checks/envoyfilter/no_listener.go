package envoyfilter

import (
	"slices"
	"strconv"
	"sync"

	networking "istio.io/api/networking/v1alpha3"
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

const (
	virtualInbound  = "virtualInbound"
	virtualOutbound = "virtualOutbound"

	// noTranslation makes gateways listen on the Service's ports.
	noTranslation = "experimental.istio.io/disable-gateway-port-translation"
)

// NoSuchListener finds patches for listeners that no proxy has.
var NoSuchListener = &analyze.Check{
	Code: "MSH0728", Name: "patch-for-no-listener", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter, mesh.Pod, mesh.Service},
	Uses:  append(selector.Kinds(), mesh.ServiceEntry, mesh.Sidecar, mesh.PeerAuthentication),
	Doc: analyze.Doc{
		What: "The listener that a patch matches cannot be: its name is the one of the other direction's, or misspelt, its port is the one of a Service, where the gateway or, inbound, the sidecar has the target port, or it is for outbound traffic to a port that no host of the mesh has.",
		Why:  "A gateway listens on the port of its pods, such as 8443, to which the Service leads what comes for 443. So does a sidecar, inbound. istiod compares that port, and leaves out without a word what fits none.",
		Fix:  "Match the target port, or correct the name. The listeners of a gateway are shown by `meshctl proxy-config listeners POD`.",
	},
	Run: func(p *analyze.Pass) {
		all := patches(p)
		names := namesIn(all)
		outbound := sync.OnceValues(func() (map[uint32]bool, bool) { return outboundPorts(p, all) })
		for i, x := range all {
			match := x.spec.GetMatch().GetListener()
			if match == nil || x.spec.GetApplyTo() == networking.EnvoyFilter_LISTENER && x.op() == opAdd {
				continue
			}
			if names.byOthers(match.GetName(), i) || !x.listenerOfOthers(p, match.GetName()) {
				x.judgePort(p, match.GetPortNumber())
				x.judgeInbound(p, match.GetPortNumber(), all)
				x.judgeOutbound(p, match.GetPortNumber(), outbound)
			}
		}
	},
}

func (x patch) atListener(field string) mesh.Location {
	return x.filter.At("spec.configPatches[%d].match.listener.%s", x.index, field)
}

// listenerOfOthers reports the name of a listener that the context has not.
func (x patch) listenerOfOthers(p *analyze.Pass, name string) bool {
	known := []string{virtualInbound, virtualOutbound}
	context := x.spec.GetMatch().GetContext()
	wrong := context == networking.EnvoyFilter_GATEWAY ||
		context == networking.EnvoyFilter_SIDECAR_INBOUND && name == virtualOutbound ||
		context == networking.EnvoyFilter_SIDECAR_OUTBOUND && name == virtualInbound
	switch meant := hint.Sole(name, known); {
	case name == "":
		return false
	case slices.Contains(known, name) && wrong:
		p.Report(x.atListener("name"), "no listener fits: in the context %s none is called %q", context, name).
			Suggest("change the context, or match portNumber")
		return true
	case !slices.Contains(known, name) && meant != "":
		p.Report(x.atListener("name"), "no listener fits: istiod makes none that is called %q", name).
			Suggest("change it to %q", meant).Replace(x.atListener("name"), meant)
		return true
	}
	return false
}

// judgePort reports the port of a gateway's Service where its target port is
// what the gateway listens on.
func (x patch) judgePort(p *analyze.Pass, number uint32) {
	namespace, labels := scopeOf(p, x.filter), x.filter.Spec.GetWorkloadSelector().GetLabels()
	if number == 0 || x.spec.GetMatch().GetContext() != networking.EnvoyFilter_GATEWAY || len(labels) == 0 || len(x.filter.Spec.GetTargetRefs()) > 0 ||
		p.SelectsMachines(namespace, labels) || p.SelectsProvisioned(namespace, labels) {
		return
	}
	var from *mesh.Resource[*core.ServiceSpec]
	target := uint32(0)
	for _, w := range p.Select(namespace, labels) {
		if !p.KnownIn(mesh.Service, w.Object.Namespace) {
			p.CantTell(mesh.Service, w.Object.Namespace)
			return
		}
		svc, leads := leadsElsewhere(p, w, number)
		if svc == nil || roleOf(w) != gateway {
			return
		}
		from, target = svc, leads
	}
	if from == nil || !p.KnowsWorkloads(namespace) {
		return
	}
	f := p.Report(x.atListener("portNumber"), "no listener fits: port %d of the gateway's Service leads to port %d, where the gateway listens", number, target).
		Evidence(from.At("spec.ports"), "leads port %d to %d", number, target).
		Suggest("change it to %s", strconv.FormatUint(uint64(target), 10))
	f.Replace(x.atListener("portNumber"), int(target))
}

// leadsElsewhere is the Service that leads a port to another one of a workload,
// when none leads to the port itself.
func leadsElsewhere(p *analyze.Pass, w *mesh.Workload, number uint32) (from *mesh.Resource[*core.ServiceSpec], target uint32) {
	for _, svc := range p.ServicesOver(w) {
		if svc.Labels[noTranslation] != "" {
			return nil, 0
		}
		for _, port := range svc.Spec.Ports {
			leads := w.TargetPort(port)
			if leads == 0 || leads == number {
				return nil, 0
			}
			if uint32(port.Port) == number {
				from, target = svc, leads
			}
		}
	}
	return from, target
}
