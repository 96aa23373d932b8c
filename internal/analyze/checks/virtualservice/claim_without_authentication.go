package virtualservice

import (
	"maps"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	security "istio.io/api/security/v1beta1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// ClaimWithoutAuthentication finds routes by JWT claims where nobody reads JWTs.
var ClaimWithoutAuthentication = &analyze.Check{
	Code: "IST0149", Name: "claim-without-request-authentication", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.VirtualService, mesh.RequestAuthentication, mesh.Gateway, mesh.Pod},
	Uses:  mesh.WorkloadKinds()[1:],
	Doc: analyze.Doc{
		What: "A match asks for a JWT claim (@request.auth.claims), but no RequestAuthentication applies to the gateway's workloads.",
		Why:  "Without one the gateway reads no token: there are no claims, and the match is never met. With withoutHeaders it is always met.",
		Fix:  "Create a RequestAuthentication that selects the gateway's pods, in their namespace or in the root namespace.",
	},
	Run: func(p *analyze.Pass) {
		var of authentications
		for _, vs := range p.VirtualServices() {
			claims := claimsOf(vs.Spec)
			if len(claims) == 0 {
				continue
			}
			if of == nil {
				of = authenticationsIn(p)
			}
			for _, name := range mesh.GatewayNames(vs.Spec, vs.Namespace) {
				gw := mesh.As[*networking.Gateway](p.Get(mesh.Gateway, name.Namespace, name.Name))
				if gw != nil && len(gw.Spec.GetSelector()) > 0 && strings.HasPrefix(name.Path, "spec.gateways[") {
					withoutAuthentication(p, vs.Object, claims, gw, of)
				}
			}
		}
	},
}

// claim is a match by a claim: where it stands and what it asks for.
type claim struct{ path, key string }

func claimsOf(vs *networking.VirtualService) []claim {
	var claims []claim
	for i, http := range vs.GetHttp() {
		for j, m := range http.GetMatch() {
			for _, list := range []struct {
				name    string
				headers map[string]*networking.StringMatch
			}{{"headers", m.GetHeaders()}, {"withoutHeaders", m.GetWithoutHeaders()}} {
				for _, key := range slices.Sorted(maps.Keys(list.headers)) {
					if rest, found := strings.CutPrefix(strings.ToLower(key), "@request.auth.claims"); found && strings.IndexAny(rest, ".[") == 0 {
						path := mesh.Path{"spec", "http", i, "match", j, list.name, key}
						claims = append(claims, claim{path.String(), key})
					}
				}
			}
		}
	}
	return claims
}

type authentications map[string][]*mesh.Resource[*security.RequestAuthentication]

func authenticationsIn(p *analyze.Pass) authentications {
	by := authentications{}
	for _, ra := range p.RequestAuthentications() {
		by[ra.Namespace] = append(by[ra.Namespace], ra)
	}
	return by
}

// reads says whether a RequestAuthentication applies to a workload.
func (a authentications) reads(p *analyze.Pass, w *mesh.Workload) bool {
	for _, ns := range []string{w.Object.Namespace, p.RootNamespace()} {
		for _, ra := range a[ns] {
			if len(ra.Spec.GetTargetRefs()) > 0 || ra.Spec.GetTargetRef() != nil || mesh.Subset(ra.Spec.GetSelector().GetMatchLabels(), w.PodLabels) {
				return true
			}
		}
	}
	return false
}

// withoutAuthentication reports the first claim, once for each Gateway.
func withoutAuthentication(p *analyze.Pass, vs *mesh.Object, claims []claim, gw *mesh.Resource[*networking.Gateway], of authentications) {
	for _, w := range p.GatewayWorkloads(gw.Namespace, gw.Spec.GetSelector()) {
		if of.reads(p, w) {
			continue
		}
		for _, ns := range []string{w.Object.Namespace, p.RootNamespace()} {
			if !p.KnownIn(mesh.RequestAuthentication, ns) {
				p.CantTell(mesh.RequestAuthentication, ns)
				return
			}
		}
		p.Report(mesh.Location{Object: vs, Path: claims[0].path, Key: true}, "no RequestAuthentication applies to %s, so that there is no claim %q", w.Object.Ref, claims[0].key).
			Evidence(gw.At("spec.selector"), "selects the workload").
			Suggest("create a RequestAuthentication in namespace %q that selects the gateway's pods", w.Object.Namespace)
		return
	}
}
