package authorizationpolicy

import (
	"cmp"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnknownServiceAccount finds callers that cannot exist.
var UnknownServiceAccount = &analyze.Check{
	Code: "MSH0113", Name: "unknown-service-account", Severity: analyze.Warning, KIA: "KIA0106",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Pod},
	Uses:  accountKinds(),
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy names a service account that does not exist, and as which no workload runs.",
		Why:  "The rule matches nobody: an ALLOW policy refuses the callers that were meant, a DENY policy lets them in.",
		Fix:  "Correct the name: it is the pods' serviceAccountName, not the name of the Deployment or Service. One that exists only in another cluster of the mesh is fine.",
	},
	Run: func(p *analyze.Pass) {
		judgeAccounts(p, func(a account, used *identities) {
			there, known := used.names[a.namespace], p.KnownIn(mesh.ServiceAccount, a.namespace) && p.KnowsWorkloads(a.namespace)
			if p.Get(mesh.ServiceAccount, a.namespace, a.name) != nil {
				return
			}
			best := ""
			if !known && p.KnowsWorkloads(a.namespace) {
				best = hint.Closest(a.name, there)
			}
			if !known && best == "" {
				p.CantTell(mesh.ServiceAccount, a.namespace)
				return
			}
			f := p.Report(a.at, "namespace %q has no service account %q, and no workload runs as it", a.namespace, a.name)
			p.Advise(func() {
				if best := cmp.Or(best, hint.Closest(a.name, there)); best != "" {
					f.Suggest("change it to %q", strings.TrimSuffix(a.text, a.name)+best)
				}
			})
		})
	},
}

// UnusedServiceAccount finds callers of which there are none here.
var UnusedServiceAccount = &analyze.Check{
	Code: "MSH0114", Name: "unused-service-account", Severity: analyze.Info, KIA: "KIA0107",
	Reads: []mesh.Kind{mesh.AuthorizationPolicy, mesh.Pod},
	Uses:  accountKinds(),
	Doc: analyze.Doc{
		What: "An AuthorizationPolicy names a service account that exists, but as which no workload of this cluster runs.",
		Why:  "The rule matches callers of other clusters, or of workloads that come and go, if any: nobody can tell from this cluster whether it is right.",
		Fix:  "Nothing if the callers run elsewhere. Otherwise set serviceAccountName in the caller's pod template, or name the account that it runs as.",
	},
	Run: func(p *analyze.Pass) {
		judgeAccounts(p, func(a account, _ *identities) {
			switch {
			case p.Get(mesh.ServiceAccount, a.namespace, a.name) == nil:
			case !p.KnowsWorkloads(a.namespace):
				p.CantTell(mesh.Pod, a.namespace)
			default:
				p.Report(a.at, "no workload here runs as the service account %q of namespace %q", a.name, a.namespace)
			}
		})
	},
}

// accountKinds are what the checks of service accounts ask for besides policies and Pods.
func accountKinds() []mesh.Kind {
	return append(mesh.WorkloadKinds()[1:], mesh.ServiceAccount, mesh.WorkloadEntry, mesh.WorkloadGroup, mesh.ServiceEntry, mesh.KubernetesGateway, mesh.Namespace)
}

// identities are the service accounts as which something runs.
type identities struct {
	used  map[string]bool     // namespace/name
	names map[string][]string // by namespace
}

// judgeAccounts calls f for each service account that a policy names and as
// which nothing runs, in namespaces that exist.
func judgeAccounts(p *analyze.Pass, f func(a account, used *identities)) {
	used := runningAs(p)
	for _, ap := range p.AuthorizationPolicies() {
		for _, a := range accounts(p, ap) {
			if used.used[a.namespace+"/"+a.name] || ofGateway(p, a) {
				continue
			}
			if p.KnownEverywhere(mesh.Namespace) && !p.HasNamespace(a.namespace) {
				continue // principal-missing-namespace says so
			}
			f(a, used)
		}
	}
}

func runningAs(p *analyze.Pass) *identities {
	all := &identities{used: map[string]bool{}, names: map[string][]string{}}
	add := func(namespace, name string) {
		if name == "" || all.used[namespace+"/"+name] {
			return
		}
		all.used[namespace+"/"+name] = true
		all.names[namespace] = append(all.names[namespace], name)
	}
	for _, w := range p.Workloads() {
		switch {
		case w.Pod.ServiceAccountName != "":
			add(w.Object.Namespace, w.Pod.ServiceAccountName)
		case w.Pod.DeprecatedServiceAccount != "":
			add(w.Object.Namespace, w.Pod.DeprecatedServiceAccount)
		default:
			add(w.Object.Namespace, "default")
		}
	}
	for _, we := range p.WorkloadEntries() {
		add(we.Namespace, we.Spec.GetServiceAccount())
	}
	for _, wg := range p.WorkloadGroups() {
		add(wg.Namespace, wg.Spec.GetTemplate().GetServiceAccount())
	}
	for _, se := range p.ServiceEntries() {
		for _, endpoint := range se.Spec.GetEndpoints() {
			add(se.Namespace, endpoint.GetServiceAccount())
		}
	}
	return all
}

// ofGateway says whether istiod makes the service account for a Gateway API
// Gateway: its name, a dash and its class.
func ofGateway(p *analyze.Pass, a account) bool {
	for i := range len(a.name) {
		if a.name[i] == '-' && p.Get(mesh.KubernetesGateway, a.namespace, a.name[:i]) != nil {
			return true
		}
	}
	return p.Get(mesh.KubernetesGateway, a.namespace, a.name) != nil
}
