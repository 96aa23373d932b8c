package mesh

import (
	"google.golang.org/protobuf/proto"
	security "istio.io/api/security/v1beta1"
)

// PeerMode is which connections a workload's proxy takes in.
type PeerMode = security.PeerAuthentication_MutualTLS_Mode

// The modes, as PeerAuthentications have them.
const (
	PeerUnset      = security.PeerAuthentication_MutualTLS_UNSET
	PeerDisable    = security.PeerAuthentication_MutualTLS_DISABLE
	PeerPermissive = security.PeerAuthentication_MutualTLS_PERMISSIVE
	PeerStrict     = security.PeerAuthentication_MutualTLS_STRICT
)

// PeerPolicies are the PeerAuthentications that istiod consults for a workload.
type PeerPolicies struct {
	// Mesh, Namespace and Workload are the one that counts of each scope, nil
	// when there is none.
	Mesh, Namespace, Workload *Resource[*security.PeerAuthentication]
	// Ambiguous is true when a scope has several that differ, and the input
	// does not say which is the oldest.
	Ambiguous bool
}

// PeerScope is how far the policy reaches that a mode comes from.
type PeerScope int

// The scopes.
const (
	NoPeerPolicy PeerScope = iota
	MeshScope
	NamespaceScope
	WorkloadScope
)

// PeerPolicies are the policies that decide what a workload's proxy takes in.
// Those with a selector in the root namespace count nowhere, as istiod has it.
func (s *Snapshot) PeerPolicies(w *Workload) PeerPolicies {
	s.touch(PeerAuthentication)
	index, root := s.peers(), s.RootNamespace()
	var found PeerPolicies
	found.Mesh = found.takes(index.defaults[root])
	if w.Object.Namespace != root {
		found.Namespace = found.takes(index.defaults[w.Object.Namespace])
		found.Workload = found.takes(pickPeer(index.Selecting(w.Object.Namespace, w.PodLabels)))
	}
	return found
}

// peerPick is which of several policies counts.
type peerPick struct {
	policy    *Resource[*security.PeerAuthentication]
	ambiguous bool
}

func (p *PeerPolicies) takes(pick peerPick) *Resource[*security.PeerAuthentication] {
	p.Ambiguous = p.Ambiguous || pick.ambiguous
	return pick.policy
}

// pickPeer is the policy of a scope that counts.
func pickPeer(rivals []*Resource[*security.PeerAuthentication]) peerPick {
	if len(rivals) == 0 {
		return peerPick{}
	}
	if oldest := Oldest(rivals); oldest != nil {
		return peerPick{policy: oldest}
	}
	pick := peerPick{policy: rivals[0]}
	for _, r := range rivals[1:] {
		pick.ambiguous = pick.ambiguous || !SamePeers(rivals[0].Spec, r.Spec)
	}
	return pick
}

// SamePeers says whether two PeerAuthentications ask for the same, whatever they select.
func SamePeers(a, b *security.PeerAuthentication) bool {
	if len(a.GetPortLevelMtls()) != len(b.GetPortLevelMtls()) || a.GetMtls().GetMode() != b.GetMtls().GetMode() {
		return false
	}
	for port, mtls := range a.GetPortLevelMtls() {
		if other, ok := b.GetPortLevelMtls()[port]; !ok || !proto.Equal(mtls, other) {
			return false
		}
	}
	return true
}

// Mode is the mode of one of the workload's ports (not of its Service's), the
// field that it comes from, and how far that policy reaches. Without any
// policy it is permissive.
func (p PeerPolicies) Mode(port uint32) (mode PeerMode, from Location, scope PeerScope) {
	mode = PeerPermissive
	for _, tier := range []struct {
		policy *Resource[*security.PeerAuthentication]
		scope  PeerScope
	}{{p.Mesh, MeshScope}, {p.Namespace, NamespaceScope}, {p.Workload, WorkloadScope}} {
		if tier.policy == nil {
			continue
		}
		if m := tier.policy.Spec.GetMtls().GetMode(); m != PeerUnset {
			mode, from, scope = m, tier.policy.At("spec.mtls.mode"), tier.scope
		}
	}
	if m := p.Workload; m != nil {
		if own, ok := m.Spec.GetPortLevelMtls()[port]; ok && own.GetMode() != PeerUnset {
			return own.GetMode(), m.At("spec.portLevelMtls.%d.mode", port), WorkloadScope
		}
	}
	return mode, from, scope
}

// peerIndex finds the policies for a workload; of those without selector it
// has what counts in each namespace.
type peerIndex struct {
	*Selectors[*security.PeerAuthentication]
	defaults map[string]peerPick
}

func (c *content) newPeers() peerIndex {
	index := peerIndex{Selectors: IndexSelectors(typedOf[*security.PeerAuthentication](c, PeerAuthentication), func(spec *security.PeerAuthentication) map[string]string {
		return spec.GetSelector().GetMatchLabels()
	}), defaults: map[string]peerPick{}}
	for namespace, rivals := range index.Selectors.defaults {
		index.defaults[namespace] = pickPeer(rivals)
	}
	return index
}
