package gatewayapi

import (
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// UnusedGrant finds ReferenceGrants that nothing makes use of.
var UnusedGrant = &analyze.Check{
	Code: "MSH0308", Name: "unused-reference-grant", Severity: analyze.Info,
	Reads: []mesh.Kind{mesh.ReferenceGrant, mesh.HTTPRoute, mesh.KubernetesGateway},
	Uses:  []mesh.Kind{mesh.GRPCRoute, mesh.TLSRoute, mesh.TCPRoute, mesh.ListenerSet, mesh.Namespace},
	Doc: analyze.Doc{
		What: "Nothing refers to what a ReferenceGrant opens, from where it opens it.",
		Why:  "It lets a namespace use what it does not use: a door left open for nobody. Or the reference that it was made for has another kind, namespace or name, and is refused.",
		Fix:  "Remove the grant, or correct its kinds, namespaces and names.",
	},
	Run: func(p *analyze.Pass) {
		used := references(p)
		for _, grant := range p.ReferenceGrants() {
			if judged(p, grant) && !uses(grant, used) {
				p.Report(grant.At("spec"), "nothing makes use of the grant: %s refers to what it opens in namespace %q", fromText(grant.Spec.From), grant.Namespace)
			}
		}
	},
}

// reference is what refers to what in another namespace.
type reference struct {
	fromKind, fromNamespace string
	toKind, toNamespace     string
	toName                  string // empty for any
}

// references are those of routes to Services, and of Gateways and ListenerSets to Secrets.
func references(p *analyze.Pass) map[reference]bool {
	all := map[reference]bool{}
	add := func(from mesh.Ref, kind, namespace, name string) {
		all[reference{from.Kind.Kind, from.Namespace, kind, namespace, name}] = true
		all[reference{from.Kind.Kind, from.Namespace, kind, namespace, ""}] = true
	}
	for _, route := range p.KubernetesRoutes() {
		for _, b := range route.Backends {
			if b.Ref.Namespace != nil {
				kind := "Service"
				if b.Ref.Kind != nil {
					kind = string(*b.Ref.Kind)
				}
				add(route.Ref, kind, string(*b.Ref.Namespace), string(b.Ref.Name))
			}
		}
	}
	for _, gw := range p.KubernetesGateways() {
		for _, c := range append(certificates(mesh.ListenersOf(gw)), authorities(gw)...) {
			add(gw.Ref, c.kind, c.namespace, c.name)
		}
	}
	for _, set := range p.ListenerSets() {
		for _, c := range certificates(mesh.ListenersOfSet(set)) {
			add(set.Ref, c.kind, c.namespace, c.name)
		}
	}
	return all
}

// authorities are the CAs of clients that a Gateway names, and its own
// certificate for backends.
func authorities(gw *mesh.Resource[*gatewayapi.GatewaySpec]) []certificate {
	var all []certificate
	add := func(kind, namespace *string, name string) {
		c := certificate{kind: "Secret", namespace: gw.Namespace, name: name}
		if kind != nil {
			c.kind = *kind
		}
		if namespace != nil {
			c.namespace = *namespace
		}
		all = append(all, c)
	}
	tls := gw.Spec.TLS
	if tls == nil {
		return nil
	}
	if tls.Backend != nil && tls.Backend.ClientCertificateRef != nil {
		ref := tls.Backend.ClientCertificateRef
		add((*string)(ref.Kind), (*string)(ref.Namespace), string(ref.Name))
	}
	if tls.Frontend == nil {
		return all
	}
	configs := []gatewayapi.TLSConfig{tls.Frontend.Default}
	for _, port := range tls.Frontend.PerPort {
		configs = append(configs, port.TLS)
	}
	for _, config := range configs {
		if config.Validation == nil {
			continue
		}
		for _, ref := range config.Validation.CACertificateRefs {
			add((*string)(&ref.Kind), (*string)(ref.Namespace), string(ref.Name))
		}
	}
	return all
}

// judged says whether the input holds all that could make use of a grant. What
// Istio knows nothing of is for others to use.
func judged(p *analyze.Pass, grant *mesh.Resource[*gatewayapi.ReferenceGrantSpec]) bool {
	for _, from := range grant.Spec.From {
		kind, ok := mesh.KindOf(string(from.Group)+"/v1", string(from.Kind))
		switch {
		case !ok:
			return false
		case kind != mesh.KubernetesGateway && kind != mesh.ListenerSet && kind != mesh.HTTPRoute && kind != mesh.GRPCRoute && kind != mesh.TLSRoute && kind != mesh.TCPRoute:
			return false
		case !p.KnownIn(kind, string(from.Namespace)):
			p.CantTell(kind, string(from.Namespace))
			return false
		case p.KnownEverywhere(mesh.Namespace) && !p.HasNamespace(string(from.Namespace)):
			return false // grant-from-missing-namespace says so
		}
	}
	return true
}

func uses(grant *mesh.Resource[*gatewayapi.ReferenceGrantSpec], used map[reference]bool) bool {
	for _, from := range grant.Spec.From {
		for _, to := range grant.Spec.To {
			name := ""
			if to.Name != nil {
				name = string(*to.Name)
			}
			if used[reference{string(from.Kind), string(from.Namespace), string(to.Kind), grant.Namespace, name}] {
				return true
			}
		}
	}
	return false
}

func fromText(from []gatewayapi.ReferenceGrantFrom) string {
	if len(from) == 1 {
		return "no " + string(from[0].Kind) + ` of namespace "` + string(from[0].Namespace) + `"`
	}
	return "none of those it lets in"
}
