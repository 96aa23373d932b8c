package mesh

import (
	"cmp"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	core "k8s.io/api/core/v1"
)

// Host is one host name that something in the mesh answers for.
type Host struct {
	// Name is the full host name, with a wildcard in front for some ServiceEntries.
	Name  string
	Ports []Port
	// Object is the Service or ServiceEntry.
	Object *Object
	// Selector picks the workloads behind the host; empty when nothing is selected.
	Selector map[string]string
	// Service or Entry is the object's spec; the other is nil.
	Service *core.ServiceSpec
	Entry   *networking.ServiceEntry

	exportTo []string
}

// Port is a port that a host answers on.
type Port struct {
	Number uint32
	Name   string
	// Protocol is Istio's name, such as HTTP, or that of the transport for
	// Services without a hint: TCP, UDP.
	Protocol string
}

// ExportedByName says whether somebody exported the host to a namespace by name.
func (h *Host) ExportedByName() bool {
	return slices.ContainsFunc(h.exportTo, func(to string) bool { return !strings.ContainsAny(to, "*.~") })
}

// VisibleFrom says whether the host can be used from a namespace.
func (h *Host) VisibleFrom(namespace string) bool {
	return visible(h.exportTo, h.Object.Namespace, namespace)
}

// Registry is what host names mean: Services and ServiceEntries together.
type Registry struct {
	exact map[string][]*Host
	wild  map[string][]*Host // by the part after "*"
	names []string           // exact names, sorted
}

// ExportToAnnotation restricts a Service as exportTo does other kinds.
const ExportToAnnotation = "networking.istio.io/exportTo"

// Registry is the mesh's service registry; it reads Services and ServiceEntries.
func (s *Snapshot) Registry() *Registry {
	s.touch(Service, ServiceEntry)
	s.conclude(true, Service, ServiceEntry)
	return s.registry()
}

func (c *content) newRegistry() *Registry {
	r := &Registry{exact: map[string][]*Host{}, wild: map[string][]*Host{}}
	suffix := ".svc." + c.clusterDomain()
	for _, svc := range typedOf[*core.ServiceSpec](c, Service) {
		var own []string
		for _, e := range strings.Split(svc.Annotations[ExportToAnnotation], ",") {
			if e = strings.TrimSpace(e); e != "" {
				own = append(own, e)
			}
		}
		h := &Host{
			Name: svc.Name + "." + svc.Namespace + suffix, Object: svc.Object,
			Selector: svc.Spec.Selector, Service: svc.Spec, exportTo: c.exportTo(Service, own),
		}
		for _, p := range svc.Spec.Ports {
			h.Ports = append(h.Ports, Port{Number: uint32(p.Port), Name: p.Name, Protocol: servicePortProtocol(p)})
		}
		r.add(h)
	}
	for _, se := range typedOf[*networking.ServiceEntry](c, ServiceEntry) {
		var ports []Port
		for _, p := range se.Spec.Ports {
			ports = append(ports, Port{Number: p.GetNumber(), Name: p.GetName(), Protocol: strings.ToUpper(p.GetProtocol())})
		}
		for _, host := range se.Spec.Hosts {
			r.add(&Host{
				Name: strings.ToLower(strings.TrimSuffix(host, ".")), Ports: ports, Object: se.Object,
				Selector: se.Spec.GetWorkloadSelector().GetLabels(), Entry: se.Spec, exportTo: c.exportTo(ServiceEntry, se.Spec.ExportTo),
			})
		}
	}
	for name := range r.exact {
		r.names = append(r.names, name)
	}
	slices.Sort(r.names)
	return r
}

func (r *Registry) add(h *Host) {
	if suffix, wild := strings.CutPrefix(h.Name, "*"); wild {
		r.wild[suffix] = append(r.wild[suffix], h)
		return
	}
	r.exact[h.Name] = append(r.exact[h.Name], h)
}

// servicePortProtocol is what a Service's port says of its protocol.
func servicePortProtocol(p core.ServicePort) string {
	switch {
	case p.Protocol == core.ProtocolUDP || p.Protocol == core.ProtocolSCTP:
		return string(p.Protocol)
	case p.AppProtocol != nil && *p.AppProtocol != "":
		return strings.ToUpper(*p.AppProtocol)
	}
	prefix, _, _ := strings.Cut(p.Name, "-")
	return cmp.Or(strings.ToUpper(prefix), "TCP")
}

// All are the hosts that a full host name can mean, whoever may see them:
// those of exactly that name, or else those of the longest wildcard over it.
func (r *Registry) All(fqdn string) []*Host {
	if hosts := r.exact[fqdn]; len(hosts) > 0 {
		return hosts
	}
	rest, found := strings.CutPrefix(fqdn, "*")
	if found {
		if hosts := r.wild[rest]; len(hosts) > 0 {
			return hosts
		}
	} else {
		rest = fqdn
	}
	for {
		dot := strings.IndexByte(rest[min(1, len(rest)):], '.')
		if dot < 0 {
			return r.wild[""]
		}
		rest = rest[dot+1:]
		if hosts := r.wild[rest]; len(hosts) > 0 {
			return hosts
		}
	}
}

// Lookup is [Registry.All] without what can't be seen from namespace.
func (r *Registry) Lookup(fqdn, namespace string) []*Host {
	var seen []*Host
	for _, h := range r.All(fqdn) {
		if h.VisibleFrom(namespace) {
			seen = append(seen, h)
		}
	}
	return seen
}

// Under are the hosts that a pattern such as *.example.com covers, by name.
// It looks at every host: for what is asked rarely.
func (r *Registry) Under(pattern string) []*Host {
	var hosts []*Host
	for _, name := range r.names {
		if HostMatches(pattern, name) {
			hosts = append(hosts, r.exact[name]...)
		}
	}
	return hosts
}

// Names are all full host names without wildcards, sorted.
func (r *Registry) Names() []string { return r.names }
