package destinationrule

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownHost finds rules for hosts that do not exist.
var UnknownHost = &analyze.Check{
	Code: "IST0174", Name: "unknown-destination-host", Severity: analyze.Warning, KIA: "KIA0202",
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.Service, mesh.ServiceEntry},
	Doc: analyze.Doc{
		What: "The host of a DestinationRule is neither a Service nor the host of a ServiceEntry, and its wildcard covers none; or no proxy of the rule's namespace sees it.",
		Why:  "The rule does nothing: the TLS settings, subsets and limits that were meant for a host are not in force.",
		Fix:  "Correct the name. A name without a dot means a Service in the DestinationRule's own namespace; anything else must be a full name such as reviews.shop.svc.cluster.local. Hosts outside the cluster need a ServiceEntry.",
	},
	Run: func(p *analyze.Pass) {
		var under map[string]bool
		for _, dr := range p.DestinationRules() {
			host := p.FQDN(dr.Spec.GetHost(), dr.Namespace)
			if host == "" || host == "*" {
				continue
			}
			if found := p.Registry().All(host); len(found) > 0 {
				hiddenHost(p, dr, found)
				continue
			}
			at := dr.At("spec.host")
			if suffix, wild := strings.CutPrefix(host, "*"); wild {
				if under == nil {
					under = suffixes(p)
				}
				if !under[suffix] {
					unknownWildcard(p, at, host)
				}
				continue
			}
			unknownHost(p, at, host)
		}
	},
}

// hiddenHost reports a rule whose host the proxies that would apply it do not
// see: of the rule's own namespace, unless it is the host's or the root one.
func hiddenHost(p *analyze.Pass, dr rule, hosts []*mesh.Host) {
	if dr.Namespace == p.RootNamespace() {
		return
	}
	for _, h := range hosts {
		if h.Object.Namespace == dr.Namespace || h.VisibleFrom(dr.Namespace) {
			return
		}
	}
	first, field := hosts[0].Object, "spec.exportTo"
	if hosts[0].Service != nil {
		field = `metadata.annotations["` + mesh.ExportToAnnotation + `"]`
	}
	p.Report(dr.At("spec.host"), "%s answers for this host, but is not exported to namespace %q, whose proxies alone apply the rule", first.Ref, dr.Namespace).
		Suggest("add %q to %s of %s, or move the rule to namespace %q", dr.Namespace, field, first.Ref, first.Namespace).
		Evidence(first.At("%s", field), "is exported elsewhere only")
}

// suffixes are all ends of hosts that begin with a dot.
func suffixes(p *analyze.Pass) map[string]bool {
	ends := map[string]bool{}
	add := func(host string) {
		for i := range len(host) {
			if host[i] == '.' {
				ends[host[i:]] = true
			}
		}
	}
	for _, name := range p.Registry().Names() {
		add(name)
	}
	for _, se := range p.ServiceEntries() {
		for _, host := range se.Spec.GetHosts() {
			add(strings.ToLower(host))
		}
	}
	return ends
}

func unknownWildcard(p *analyze.Pass, at mesh.Location, host string) {
	for _, kind := range []mesh.Kind{mesh.Service, mesh.ServiceEntry} {
		if !p.KnownEverywhere(kind) {
			p.CantTell(kind, "")
			return
		}
	}
	p.MayBeElsewhere(p.Report(at, "no Service and no ServiceEntry has a host under %q", host))
}

// unknownHost reports a host that is in no registry, if the input says enough
// to be sure.
func unknownHost(p *analyze.Pass, at mesh.Location, fqdn string) {
	if name, namespace, ok := p.ServiceName(fqdn); ok {
		if !p.KnownIn(mesh.Service, namespace) {
			p.CantTell(mesh.Service, namespace)
			return
		}
		f := p.Report(at, "there is no Service %q in namespace %q", name, namespace)
		p.MayBeElsewhere(f)
		p.Advise(func() {
			var there []string
			for _, svc := range mesh.InNamespace(p.Services(), namespace) {
				there = append(there, svc.Name)
			}
			if best := hint.Closest(name, there); best != "" {
				f.Suggest("change it to %q", p.FQDN(best, namespace))
			}
		})
		return
	}
	parts := strings.Split(strings.TrimSuffix(fqdn, ".svc"), ".")
	if len(parts) == 2 && p.Get(mesh.Service, parts[1], parts[0]) != nil {
		p.Report(at, "%q is no host: a name with a dot is taken as it stands, not as a Service of namespace %q", fqdn, parts[1]).
			Suggest("write it out: %q", p.FQDN(parts[0], parts[1])).
			Replace(at, p.FQDN(parts[0], parts[1]))
		return
	}
	if strings.Contains(fqdn, ".svc.") {
		return // another cluster's domain, or one that the input does not tell
	}
	if !p.KnownEverywhere(mesh.ServiceEntry) {
		p.CantTell(mesh.ServiceEntry, "")
		return
	}
	p.Report(at, "no ServiceEntry has the host %q, and it is no Service either", fqdn).
		Suggest("add a ServiceEntry for %q, or correct the name", fqdn)
}
