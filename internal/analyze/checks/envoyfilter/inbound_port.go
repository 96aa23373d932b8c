package envoyfilter

import (
	"slices"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ownPorts are those of the sidecar's own inbound listeners.
var ownPorts = []uint32{15006, 15008, 15020, 15021, 15090}

// judgeInbound reports a port that no sidecar of the EnvoyFilter has inbound:
// mostly the Service's, where the one of the pods is meant.
func (x patch) judgeInbound(p *analyze.Pass, number uint32, all []patch) {
	if number == 0 || x.spec.GetMatch().GetContext() != networking.EnvoyFilter_SIDECAR_INBOUND ||
		slices.Contains(ownPorts, number) || number == uint32(p.MeshConfig().GetProxyInboundListenPort()) || slices.ContainsFunc(all, patch.bringsListener) {
		return
	}
	namespace, labels := scopeOf(p, x.filter), x.filter.Spec.GetWorkloadSelector().GetLabels()
	if x.spec.GetApplyTo() == networking.EnvoyFilter_LISTENER {
		x.judgeWholeListener(p, namespace, number)
		return
	}
	if len(labels) == 0 || len(x.filter.Spec.GetTargetRefs()) > 0 || p.SelectsMachines(namespace, labels) || p.SelectsProvisioned(namespace, labels) {
		return
	}
	workloads := slices.Concat(p.Select(namespace, labels), p.RunningPods(namespace, labels))
	var from *mesh.Object
	target, at := uint32(0), 0
	for _, w := range workloads {
		if !inboundKnown(p, w.Object.Namespace) || roleOf(w) != sidecar || w.PodLabels[mesh.GatewayNameLabel] != "" || otherwiseInbound(p, w.Object.Namespace, number) {
			return
		}
		for _, svc := range p.ServicesOver(w) {
			for i, port := range svc.Spec.Ports {
				switch leads := w.TargetPort(port); {
				case leads == 0 || leads == number:
					return
				case uint32(port.Port) == number:
					from, target, at = svc.Object, leads, i
				}
			}
		}
	}
	if from == nil || !p.KnowsWorkloads(namespace) {
		return
	}
	f := p.Report(x.atListener("portNumber"), "no listener fits: port %d of the Service leads to port %d of the pods, which is the one inbound", number, target).
		Evidence(from.At("spec.ports[%d]", at), "leads port %d to %d", number, target).
		Suggest("change it to %d", target)
	f.Replace(x.atListener("portNumber"), int(target))
}

// bringsListener says whether a patch may add ports.
func (x patch) bringsListener() bool {
	applyTo := x.spec.GetApplyTo()
	return x.op() == opAdd && (applyTo == networking.EnvoyFilter_LISTENER || applyTo == networking.EnvoyFilter_FILTER_CHAIN)
}

// judgeWholeListener reports a listener for one port where a sidecar has one
// for all; only the ingress of a Sidecar gives others.
func (x patch) judgeWholeListener(p *analyze.Pass, namespace string, number uint32) {
	for _, ns := range []string{namespace, p.RootNamespace()} {
		known := p.KnownIn(mesh.Sidecar, ns)
		if namespace == "" {
			known = p.KnownEverywhere(mesh.Sidecar)
		}
		if !known {
			p.CantTell(mesh.Sidecar, ns)
			return
		}
	}
	for _, sc := range p.Sidecars() {
		if slices.ContainsFunc(sc.Spec.GetIngress(), func(l *networking.IstioIngressListener) bool { return l.GetPort().GetNumber() == number }) {
			return
		}
	}
	p.Report(x.atListener("portNumber"), "no listener fits: sidecars have one inbound listener for all ports, %q on 15006, and port %d is one of its filter chains", virtualInbound, number).
		Suggest("match name: %s, or apply the patch to FILTER_CHAIN, NETWORK_FILTER or HTTP_FILTER", virtualInbound)
}

// inboundKnown says whether the input holds all that gives a namespace's
// sidecars inbound ports.
func inboundKnown(p *analyze.Pass, namespace string) bool {
	for _, kind := range []mesh.Kind{mesh.Service, mesh.ServiceEntry, mesh.Sidecar, mesh.PeerAuthentication} {
		for _, ns := range []string{namespace, p.RootNamespace()} {
			if kind == mesh.Service && ns != namespace || kind == mesh.ServiceEntry && ns != namespace {
				continue
			}
			if !p.KnownIn(kind, ns) {
				p.CantTell(kind, ns)
				return false
			}
		}
	}
	return true
}

// otherwiseInbound says whether sidecars of a namespace may have an inbound port
// that no selector of a Service gives them.
func otherwiseInbound(p *analyze.Pass, namespace string, number uint32) bool {
	for _, svc := range mesh.InNamespace(p.Services(), namespace) {
		for _, port := range svc.Spec.Ports {
			if len(svc.Spec.Selector) == 0 && (uint32(port.Port) == number || uint32(port.TargetPort.IntVal) == number || port.TargetPort.StrVal != "") {
				return true // its endpoints may be the pods
			}
		}
	}
	for _, se := range mesh.InNamespace(p.ServiceEntries(), namespace) {
		for _, port := range se.Spec.GetPorts() {
			if port.GetNumber() == number || port.GetTargetPort() == number {
				return true
			}
		}
	}
	for _, ns := range []string{namespace, p.RootNamespace()} {
		for _, sc := range mesh.InNamespace(p.Sidecars(), ns) {
			if slices.ContainsFunc(sc.Spec.GetIngress(), func(l *networking.IstioIngressListener) bool { return l.GetPort().GetNumber() == number }) {
				return true
			}
		}
		for _, pa := range mesh.InNamespace(p.PeerAuthentications(), ns) {
			if _, named := pa.Spec.GetPortLevelMtls()[number]; named {
				return true // has a filter chain of its own
			}
		}
	}
	return false
}
