package service

import (
	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// claim is what Services can have in common for one workload: a number, of a
// port of theirs or of the pods.
type claim struct {
	workload *mesh.Workload
	number   int32
}

// transportConflicts tells of Services that have one port as TCP and as UDP for
// the same pods, each pair once. Istio carries only TCP: that works, as DNS does.
func transportConflicts(p *analyze.Pass) {
	type ports struct{ tcp, udp []endpoint }
	claims := map[claim]*ports{}
	var order []claim
	udp := map[int32]bool{}
	for _, svc := range p.Services() {
		for _, port := range svc.Spec.Ports {
			udp[port.Port] = udp[port.Port] || port.Protocol == core.ProtocolUDP
		}
	}
	eachPort(p, func(w *mesh.Workload, e endpoint) {
		key := claim{w, e.port().Port}
		if !udp[key.number] {
			return
		}
		if claims[key] == nil {
			claims[key] = &ports{}
			order = append(order, key)
		}
		if e.port().Protocol == core.ProtocolUDP {
			claims[key].udp = append(claims[key].udp, e)
		} else if e.port().Protocol != core.ProtocolSCTP {
			claims[key].tcp = append(claims[key].tcp, e)
		}
	})
	once := pairs{}
	for _, key := range order {
		a, b, ok := ofTwo(claims[key].tcp, claims[key].udp)
		if ok && once.first(a, b, key.number) && surelyInSidecar(p, key.workload) {
			p.Report(key.workload.Object.At(""), "port %d is TCP in Service %s and UDP in Service %s: the sidecar carries the former only", key.number, a.service.Name, b.service.Name).
				As(analyze.Info).
				Evidence(a.service.At("spec.ports[%d]", a.index), "says TCP").
				Evidence(b.service.At("spec.ports[%d]", b.index), "says UDP").
				Suggest("correct the protocol of one, if it is a slip; else leave both")
		}
	}
}

// severalNumbers tells of Services that reach one port of the same pods under
// different numbers, where they agree on what it speaks: each pair once. Clients
// of headless Services use the pods' own numbers, which are not counted.
func severalNumbers(p *analyze.Pass) {
	endpoints, order := endpointsOf(p)
	once := pairs{}
	for _, t := range order {
		all := endpoints[t]
		if _, _, ok := conflict(all, false); ok {
			continue
		}
		if _, _, ok := conflict(all, true); ok {
			continue
		}
		a := all[0]
		for _, b := range all[1:] {
			if withoutAddress(a.service.Spec) {
				a = b
			}
			if withoutAddress(b.service.Spec) || a.service.Object == b.service.Object || a.port().Port == b.port().Port {
				continue
			}
			if once.first(a, b, t.port) && surelyInSidecar(p, t.workload) {
				p.Report(t.workload.Object.At(""), "port %d of the pods has several numbers: %s and %s; what arrives counts as the older Service's", t.port, a, b).
					As(analyze.Info).
					Evidence(a.service.At("spec.ports[%d]", a.index), "leads there").
					Evidence(b.service.At("spec.ports[%d]", b.index), "leads there").
					Suggest("give both Services the same port, if metrics and port-level settings are to tell them apart")
			}
			break
		}
	}
}

// surelyInSidecar is [hasSidecar] for what is only worth knowing: what stays
// undecided is not worth a word.
func surelyInSidecar(p *analyze.Pass, w *mesh.Workload) bool {
	return p.DataPlane(w) == mesh.InSidecar && !w.IsGateway()
}

// withoutAddress says whether clients of a Service talk to its pods as they are.
func withoutAddress(svc *core.ServiceSpec) bool { return svc.ClusterIP == core.ClusterIPNone }

// eachPort calls f for every port of a Service with an address, and each
// workload behind it.
func eachPort(p *analyze.Pass, f func(w *mesh.Workload, e endpoint)) {
	for _, svc := range p.Services() {
		if len(svc.Spec.Selector) == 0 || svc.Spec.Type == core.ServiceTypeExternalName || withoutAddress(svc.Spec) {
			continue
		}
		for _, w := range p.Select(svc.Namespace, svc.Spec.Selector) {
			for i := range svc.Spec.Ports {
				f(w, endpoint{service: svc, index: i})
			}
		}
	}
}

// ofTwo are the first of a and of b that belong to different Services.
func ofTwo(a, b []endpoint) (endpoint, endpoint, bool) {
	for _, x := range b {
		for _, y := range a[:min(2, len(a))] {
			if x.service.Object != y.service.Object {
				return y, x, true
			}
		}
	}
	return endpoint{}, endpoint{}, false
}

// pairs remembers what was told already.
type pairs map[pairKey]bool

type pairKey struct {
	a, b   *mesh.Object
	number int32
}

func (s pairs) first(a, b endpoint, number int32) bool {
	key := pairKey{a.object(), b.object(), number}
	if s[key] {
		return false
	}
	s[key] = true
	return true
}
