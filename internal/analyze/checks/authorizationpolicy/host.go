package authorizationpolicy

import (
	"net"
	"strings"

	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownHost finds misspelt names of Services. Any other host may be one that
// clients use: the policy compares with the Host header, not with the registry.
var UnknownHost = &analyze.Check{
	Code: "MSH0111", Name: "policy-unknown-host", Severity: analyze.Warning, KIA: "KIA0104",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Service, mesh.ServiceEntry},
	Uses:  []mesh.Kind{mesh.VirtualService},
	Doc: analyze.Doc{
		What: "A host in an AuthorizationPolicy is written like the name of a Service that does not exist, while another has nearly the same name.",
		Why:  "No request for an existing Service has that host, and the rule never matches: an ALLOW policy refuses what was meant to pass, a DENY policy lets it in.",
		Fix:  "Correct the name. Clients may use each form of a Service's name, with and without port: name, name.namespace, name.namespace.svc.cluster.local; list those that are in use, or end with * to cover them.",
	},
	Run: func(p *analyze.Pass) {
		var routed, names map[string]bool
		for _, v := range operations(p, "hosts", func(o *security.Operation) (yes, no []string) { return o.GetHosts(), o.GetNotHosts() }) {
			host := v.text
			if name, _, err := net.SplitHostPort(host); err == nil {
				host = name
			}
			name, namespace, ok := serviceName(p, strings.ToLower(host), v.policy.Namespace)
			if !ok || len(p.Registry().All(p.FQDN(name, namespace))) > 0 {
				continue
			}
			if !p.KnownIn(mesh.Service, namespace) {
				p.CantTell(mesh.Service, namespace)
				continue
			}
			if routed == nil {
				routed, names = hostsOfRoutes(p), map[string]bool{}
				for _, svc := range p.Services() {
					names[svc.Name] = true
				}
			}
			var there []string
			for _, svc := range mesh.InNamespace(p.Services(), namespace) {
				there = append(there, svc.Name)
			}
			best := hint.Closest(name, there)
			if best == "" || routed[strings.ToLower(host)] || (host == name && names[name]) || len(p.Registry().All(strings.ToLower(host))) > 0 {
				continue
			}
			f := p.Report(v.at, "there is no Service %q in namespace %q: no request has this host", name, namespace)
			p.MayBeElsewhere(f).Suggest("change it to %q", strings.Replace(v.text, name, best, 1)).
				Evidence(p.Get(mesh.Service, namespace, best).At("metadata.name"), "has nearly the same name")
		}
	},
}

// serviceName reads a host as the name of a Service: name, name.namespace,
// with .svc and the cluster's domain after it. A name with a dot is taken for
// one only if the input knows Services of that namespace.
func serviceName(p *analyze.Pass, host, namespace string) (name, in string, ok bool) {
	if strings.ContainsAny(host, "*:") || host == "" || host == "localhost" || net.ParseIP(host) != nil {
		return "", "", false
	}
	short := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(host, "."), "."+p.ClusterDomain()), ".svc")
	name, in, dotted := strings.Cut(short, ".")
	switch {
	case !dotted && short == host:
		return name, namespace, true
	case !dotted, strings.Contains(in, "."):
		return "", "", false
	}
	return name, in, short != host || len(mesh.InNamespace(p.Services(), in)) > 0
}

// hostsOfRoutes are the hosts of VirtualServices, which clients use too.
func hostsOfRoutes(p *analyze.Pass) map[string]bool {
	hosts := map[string]bool{}
	for _, vs := range p.VirtualServices() {
		for _, host := range vs.Spec.GetHosts() {
			hosts[strings.ToLower(host)] = true
		}
	}
	return hosts
}
