package deadconfig

import (
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// RuleWithoutClients finds DestinationRules that lie where no proxy looks for them.
var RuleWithoutClients = &analyze.Check{
	Code: "MSH0904", Name: "rule-without-clients", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.DestinationRule, mesh.Service, mesh.ServiceEntry, mesh.Pod},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.WorkloadEntry, mesh.WorkloadGroup, mesh.KubernetesGateway),
	Doc: analyze.Doc{
		What: "A DestinationRule is neither in a namespace that runs anything, nor in that of its host, nor in the root namespace. It rests on what runs now.",
		Why:  "A proxy looks for a host's DestinationRule in its own namespace, in the host's and in the root namespace, and nowhere else: nobody gets this one, whatever its exportTo says.",
		Fix:  "Move it to the namespace of the host, to be in force for all clients; or to that of the clients.",
	},
	Run: func(p *analyze.Pass) {
		for _, dr := range p.DestinationRules() {
			host := p.FQDN(dr.Spec.GetHost(), dr.Namespace)
			if dr.Namespace == p.RootNamespace() || host == "" || strings.HasPrefix(host, "*") {
				continue
			}
			hosts := p.Registry().All(host)
			if len(hosts) == 0 || livesIn(hosts, dr.Namespace) || runsSomething(p, dr.Namespace) {
				continue
			}
			if !p.KnowsWorkloads(dr.Namespace) || !p.KnownIn(mesh.ServiceEntry, dr.Namespace) {
				p.CantTell(mesh.Pod, dr.Namespace)
				continue
			}
			p.Report(dr.At("metadata.namespace"), "no proxy looks for it here: nothing runs in namespace %q, and %q is not in it", dr.Namespace, dr.Spec.GetHost()).
				Evidence(hosts[0].Object.At(""), "is the host").
				Suggest("move it to namespace %q", hosts[0].Object.Namespace)
		}
	},
}

// runsSomething says whether a namespace has workloads, or a Gateway for which
// istiod makes one.
func runsSomething(p *analyze.Pass, namespace string) bool {
	return p.Selects(namespace, nil) || len(mesh.InNamespace(p.KubernetesGateways(), namespace)) > 0
}

func livesIn(hosts []*mesh.Host, namespace string) bool {
	for _, h := range hosts {
		if h.Object.Namespace == namespace {
			return true
		}
	}
	return false
}
