package envoyfilter

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NoSuchCluster finds patches for clusters that no proxy has.
var NoSuchCluster = &analyze.Check{
	Code: "MSH0723", Name: "patch-for-no-cluster", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.EnvoyFilter, mesh.Service, mesh.ServiceEntry},
	Uses:  []mesh.Kind{mesh.DestinationRule},
	Doc: analyze.Doc{
		What: "The cluster that a patch matches is one of the other direction, of a port that nothing in the mesh has, of a host that is neither a Service nor a ServiceEntry's, of a port that the host has not, or of a subset that no DestinationRule defines.",
		Why:  "istiod compares the names as they stand, with full host names. A match that fits no cluster is no error: the timeout, limit or TLS setting of the patch is in force nowhere.",
		Fix:  "Correct the name. service takes a full name such as checkout.shop.svc.cluster.local or the host of a ServiceEntry; name is written outbound|8080|subset|host.",
	},
	Run: func(p *analyze.Pass) {
		all := patches(p)
		names := namesIn(all)
		ports := sync.OnceValue(func() map[uint32]bool { return registryPorts(p) })
		for i, x := range all {
			switch c, ok := x.cluster(); {
			case names.byOthers(x.spec.GetMatch().GetCluster().GetName(), i):
			case ok && c.host == "":
				c.judgePort(p, ports)
			case x.clusterOfOthers(p):
			case ok:
				c.judge(p)
			}
		}
	},
}

// clusterMatch is what a patch asks of a cluster, or of something else that istiod
// calls by a host and a port of the registry.
type clusterMatch struct {
	patch                patch
	what                 string // cluster, virtual host
	host, subset         string
	port                 uint32 // 0 for any
	atHost, atSubset     mesh.Location
	atPort               mesh.Location
	outbound, byFullName bool
}

// cluster is what the patch matches; ok is false when that is not about a host.
func (x patch) cluster() (c clusterMatch, ok bool) {
	match := x.spec.GetMatch().GetCluster()
	if match == nil || x.spec.GetApplyTo() != networking.EnvoyFilter_CLUSTER || x.op() == opAdd {
		return c, false
	}
	at := func(field string) mesh.Location {
		return x.filter.At("spec.configPatches[%d].match.cluster.%s", x.index, field)
	}
	if match.GetName() != "" { // istiod looks at nothing else then
		parts := strings.Split(match.GetName(), "|")
		if len(parts) != 4 || parts[0] != "outbound" || parts[3] == "" {
			return c, false
		}
		port, err := strconv.ParseUint(parts[1], 10, 16)
		if err != nil {
			return c, false
		}
		return clusterMatch{x, "cluster", parts[3], parts[2], uint32(port), at("name"), at("name"), at("name"), true, true}, true
	}
	context := x.spec.GetMatch().GetContext()
	outbound := context == networking.EnvoyFilter_SIDECAR_OUTBOUND || context == networking.EnvoyFilter_GATEWAY
	c = clusterMatch{x, "cluster", match.GetService(), match.GetSubset(), 0, at("service"), at("subset"), at("portNumber"), outbound, false}
	if outbound { // elsewhere it may be a Service's target port
		c.port = match.GetPortNumber()
	}
	return c, c.host != "" || c.port != 0
}

func (c clusterMatch) judge(p *analyze.Pass) {
	hosts := p.Registry().All(strings.ToLower(c.host))
	if len(hosts) == 0 {
		c.noHost(p)
		return
	}
	if c.port != 0 && !slices.ContainsFunc(hosts, func(h *mesh.Host) bool { return hasPort(h, c.port) }) {
		f := p.Report(c.atPort, "no %s fits: %q has no port %d", c.what, c.host, c.port)
		for _, h := range hosts {
			f.Evidence(h.Object.At("spec.ports"), "has other ports")
		}
		if len(hosts) == 1 && len(hosts[0].Ports) == 1 && !c.byFullName {
			f.Suggest("change it to %d", hosts[0].Ports[0].Number)
		} else {
			f.Suggest("name one of its ports: %s", portsOf(hosts))
		}
		return
	}
	if c.subset != "" {
		c.noSubset(p)
	}
}

func hasPort(h *mesh.Host, number uint32) bool {
	return len(h.Ports) == 0 || slices.ContainsFunc(h.Ports, func(port mesh.Port) bool { return port.Number == number })
}

func portsOf(hosts []*mesh.Host) string {
	var numbers []string
	for _, h := range hosts {
		for _, port := range h.Ports {
			if number := strconv.FormatUint(uint64(port.Number), 10); !slices.Contains(numbers, number) {
				numbers = append(numbers, number)
			}
		}
	}
	return strings.Join(numbers, ", ")
}

// noHost reports a host that is in no registry, if the input says enough to be sure.
func (c clusterMatch) noHost(p *analyze.Pass) {
	if name, namespace, ok := p.ServiceName(c.host); ok {
		if !p.KnownIn(mesh.Service, namespace) {
			p.CantTell(mesh.Service, namespace)
			return
		}
		if p.Undiscovered(mesh.Service, namespace, name) != nil {
			return // there is one: labels of its namespace are amiss, not the name
		}
		f := p.Report(c.atHost, "no %s fits: there is no Service %q in namespace %q", c.what, name, namespace)
		p.Advise(func() {
			var there []string
			for _, svc := range mesh.InNamespace(p.Services(), namespace) {
				there = append(there, svc.Name)
			}
			if best := hint.Closest(name, there); best != "" {
				f.Suggest("change the host to %q", p.FQDN(best, namespace))
			}
		})
		return
	}
	if short, namespace, ok := shortName(c.host, c.patch.filter.Namespace); ok && p.Get(mesh.Service, namespace, short) != nil {
		if strings.Contains(c.host, ".") && !c.outbound {
			return // a Sidecar's inbound clusters are called so
		}
		full := p.FQDN(short, namespace)
		f := p.Report(c.atHost, "no %s fits: %q is compared as it stands, and the Service's host is %q", c.what, c.host, full).
			Suggest("write it out: %q", full)
		if !c.byFullName {
			f.Replace(c.atHost, full)
		}
		return
	}
	if strings.Contains(c.host, ".svc.") || !c.outbound {
		return // another cluster's domain; or what a Sidecar's inbound clusters are called
	}
	if !p.KnownEverywhere(mesh.ServiceEntry) || !p.KnownEverywhere(mesh.Service) {
		p.CantTell(mesh.ServiceEntry, "")
		return
	}
	f := p.Report(c.atHost, "no %s fits: no ServiceEntry has the host %q, and it is no Service either", c.what, c.host)
	if !strings.Contains(c.host, ".") {
		f.Suggest("write the host in full: %q", p.FQDN(c.host, "NAMESPACE"))
		return
	}
	f.Suggest("add a ServiceEntry for %q, or correct the name", c.host)
}

// shortName is the Service that an incomplete name means elsewhere.
func shortName(host, namespace string) (string, string, bool) {
	parts := strings.Split(strings.TrimSuffix(host, ".svc"), ".")
	switch len(parts) {
	case 1:
		return parts[0], namespace, true
	case 2:
		return parts[0], parts[1], true
	}
	return "", "", false
}

// noSubset reports a subset that no rule for the host defines.
func (c clusterMatch) noSubset(p *analyze.Pass) {
	rules := p.RulesFor(strings.ToLower(c.host))
	var there []string
	for _, dr := range rules {
		for _, s := range dr.Spec.GetSubsets() {
			there = append(there, s.GetName())
		}
	}
	replaced := slices.ContainsFunc(p.Shadowed(), func(o *mesh.Object) bool { return o.Kind == mesh.DestinationRule })
	switch {
	case slices.Contains(there, c.subset) || replaced:
		return
	case len(rules) == 0 && !p.KnownEverywhere(mesh.DestinationRule):
		p.CantTell(mesh.DestinationRule, "")
		return
	}
	f := p.Report(c.atSubset, "no cluster fits: no DestinationRule for %q defines the subset %q", c.host, c.subset)
	for _, dr := range rules {
		f.Evidence(dr.At("spec.subsets"), "is for the host")
	}
	if best := hint.Closest(c.subset, there); best != "" {
		f.Suggest("change the subset to %q", best)
	}
}
