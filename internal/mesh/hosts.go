package mesh

import (
	"cmp"
	"strings"
)

// FQDN is the full name of a host as Istio reads it in an object of namespace:
// a name without a dot is a Service of that namespace, everything else is full
// already.
func (s *Snapshot) FQDN(host, namespace string) string {
	host = strings.TrimSuffix(host, ".")
	if host == "" || strings.ContainsAny(host, ".*") {
		return strings.ToLower(host)
	}
	return strings.ToLower(host) + "." + namespace + ".svc." + s.ClusterDomain()
}

// ServiceName splits the full name of a Kubernetes Service; ok is false for
// every other host.
func (s *Snapshot) ServiceName(host string) (name, namespace string, ok bool) {
	rest, found := strings.CutSuffix(host, ".svc."+s.ClusterDomain())
	if !found {
		return "", "", false
	}
	name, namespace, ok = strings.Cut(rest, ".")
	if !ok || name == "" || namespace == "" || strings.Contains(namespace, ".") || name == "*" {
		return "", "", false
	}
	return name, namespace, true
}

// ClusterDomain is the domain of Kubernetes Services, cluster.local unless the
// mesh says otherwise.
func (s *Snapshot) ClusterDomain() string { return s.clusterDomain() }

// newClusterDomain is what istiod is told, else what it tells proxies.
func (c *content) newClusterDomain() string {
	return cmp.Or(c.options.ClusterDomain, c.istiodDomain(), c.injector().clusterDomain, "cluster.local")
}

// HostMatches says whether host is covered by pattern, which may be "*" or
// begin with "*.". A pattern without a wildcard covers only itself.
func HostMatches(pattern, host string) bool {
	pattern, host = strings.ToLower(pattern), strings.ToLower(host)
	if pattern == "*" || pattern == host {
		return true
	}
	suffix, wild := strings.CutPrefix(pattern, "*")
	return wild && len(host) > len(suffix) && strings.HasSuffix(host, suffix)
}

// HostsOverlap says whether some host is covered by both, each of which may
// have a wildcard in front.
func HostsOverlap(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if HostMatches(a, b) || HostMatches(b, a) {
		return true
	}
	sa, wa := strings.CutPrefix(a, "*")
	sb, wb := strings.CutPrefix(b, "*")
	return wa && wb && (strings.HasSuffix(sa, sb) || strings.HasSuffix(sb, sa))
}

// visible says whether an object of namespace home with this exportTo can be
// seen from namespace from.
func visible(exportTo []string, home, from string) bool {
	if len(exportTo) == 0 {
		return true
	}
	for _, e := range exportTo {
		switch e {
		case "*":
			return true
		case ".":
			if home == from {
				return true
			}
		case "~":
		default:
			if e == from {
				return true
			}
		}
	}
	return false
}

// ExportTo is an object's own exportTo, or the mesh's default for its kind:
// VirtualService, DestinationRule or Service (which ServiceEntry shares).
func (s *Snapshot) ExportTo(kind Kind, own []string) []string { return s.exportTo(kind, own) }

func (c *content) exportTo(kind Kind, own []string) []string {
	if len(own) > 0 {
		return own
	}
	config := c.config()
	switch kind {
	case VirtualService:
		return config.GetDefaultVirtualServiceExportTo()
	case DestinationRule:
		return config.GetDefaultDestinationRuleExportTo()
	}
	return config.GetDefaultServiceExportTo()
}

// Visible says whether an object of namespace home, with its own exportTo, can
// be seen from namespace from.
func (s *Snapshot) Visible(kind Kind, exportTo []string, home, from string) bool {
	return visible(s.exportTo(kind, exportTo), home, from)
}
