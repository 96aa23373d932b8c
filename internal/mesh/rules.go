package mesh

import (
	"strings"

	networking "istio.io/api/networking/v1alpha3"
)

// ruleIndex finds DestinationRules by the full name of their host.
type ruleIndex struct {
	exact map[string][]*Resource[*networking.DestinationRule]
	wild  map[string][]*Resource[*networking.DestinationRule] // by the part after "*"
}

func (s *Snapshot) newRules() *ruleIndex {
	index := &ruleIndex{
		exact: map[string][]*Resource[*networking.DestinationRule]{},
		wild:  map[string][]*Resource[*networking.DestinationRule]{},
	}
	for _, dr := range typedOf[*networking.DestinationRule](s.content, DestinationRule) {
		host := s.FQDN(dr.Spec.GetHost(), dr.Namespace)
		if suffix, wild := strings.CutPrefix(host, "*"); wild {
			index.wild[suffix] = append(index.wild[suffix], dr)
		} else {
			index.exact[host] = append(index.exact[host], dr)
		}
	}
	return index
}

// RulesFor are the DestinationRules whose host is the full host name or a
// wildcard over it, the most exact first, whoever may see them.
func (s *Snapshot) RulesFor(fqdn string) []*Resource[*networking.DestinationRule] {
	s.touch(DestinationRule)
	s.conclude(true, DestinationRule)
	index := s.rules()
	found := append([]*Resource[*networking.DestinationRule]{}, index.exact[fqdn]...)
	for i := range len(fqdn) {
		if fqdn[i] == '.' {
			found = append(found, index.wild[fqdn[i:]]...)
		}
	}
	return append(found, index.wild[""]...)
}
