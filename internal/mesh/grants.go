package mesh

import gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

// grantKey is what a ReferenceGrant lets refer to what, names aside.
type grantKey struct {
	fromGroup, fromKind, fromNamespace string
	toGroup, toKind, toNamespace       string
}

// grantIndex holds the names that may be referred to; the empty one means all.
type grantIndex map[grantKey]map[string]bool

func (c *content) newGrants() grantIndex {
	index := grantIndex{}
	for _, g := range typedOf[*gatewayapi.ReferenceGrantSpec](c, ReferenceGrant) {
		for _, from := range g.Spec.From {
			for _, to := range g.Spec.To {
				key := grantKey{string(from.Group), string(from.Kind), string(from.Namespace), string(to.Group), string(to.Kind), g.Namespace}
				if index[key] == nil {
					index[key] = map[string]bool{}
				}
				name := ""
				if to.Name != nil {
					name = string(*to.Name)
				}
				index[key][name] = true
			}
		}
	}
	return index
}

// Granted says whether an object may refer to another: always in its own
// namespace, elsewhere when a ReferenceGrant there says so.
func (s *Snapshot) Granted(from Ref, to Ref) bool {
	s.touch(ReferenceGrant)
	if from.Namespace == to.Namespace {
		return true
	}
	names := s.grants()[grantKey{from.Kind.Group, from.Kind.Kind, from.Namespace, to.Kind.Group, to.Kind.Kind, to.Namespace}]
	return names[""] || names[to.Name]
}
