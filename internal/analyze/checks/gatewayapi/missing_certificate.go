package gatewayapi

import (
	"fmt"

	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingCertificate finds listeners whose certificate is not there or not theirs.
var MissingCertificate = &analyze.Check{
	Code: "MSH0309", Name: "listener-without-certificate", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.KubernetesGateway},
	Uses:  []mesh.Kind{mesh.ListenerSet, mesh.Secret, mesh.ReferenceGrant},
	Doc: analyze.Doc{
		What: "A listener of a Gateway API Gateway or a ListenerSet names a Secret for its certificate that is not there, or one of another namespace that did not allow it with a ReferenceGrant.",
		Why:  "The proxy has no certificate for the listener's hosts: TLS handshakes fail, and the listener is not programmed.",
		Fix:  "Create the Secret in the namespace of the Gateway or ListenerSet (type kubernetes.io/tls), correct the name, or create a ReferenceGrant beside the Secret.",
	},
	Run: func(p *analyze.Pass) {
		for _, gw := range p.KubernetesGateways() {
			missingCertificates(p, mesh.ListenersOf(gw))
		}
		for _, set := range p.ListenerSets() {
			missingCertificates(p, mesh.ListenersOfSet(set))
		}
	},
}

func missingCertificates(p *analyze.Pass, of mesh.Listeners) {
	for _, c := range certificates(of) {
		if c.kind != "Secret" {
			continue
		}
		secret := mesh.Ref{Kind: mesh.Secret, Namespace: c.namespace, Name: c.name}
		switch {
		case p.Get(mesh.Secret, c.namespace, c.name) == nil && p.KnownEverywhere(mesh.Secret) && p.KnowsSecret(c.namespace, c.name):
			p.Report(of.Object.At("%s.name", c.path), "there is no Secret %q in namespace %q", c.name, c.namespace)
		case p.Granted(of.Ref, secret):
		case !p.KnownIn(mesh.ReferenceGrant, c.namespace):
			p.CantTell(mesh.ReferenceGrant, c.namespace)
		default:
			kind := of.Kind.Kind
			p.Report(of.Object.At("%s.namespace", c.path), "no ReferenceGrant in namespace %q lets a %s of namespace %q use Secret %q", c.namespace, kind, of.Namespace, c.name).
				Suggest("create a ReferenceGrant in %q with from: {group: %s, kind: %s, namespace: %s} and to: {group: \"\", kind: Secret, name: %s}",
					c.namespace, of.Kind.Group, kind, of.Namespace, c.name)
		}
	}
}

// certificate is a certificate that a listener names.
type certificate struct {
	path                  string
	kind, namespace, name string
}

// certificates are those that listeners name and use.
func certificates(of mesh.Listeners) []certificate {
	var all []certificate
	for i, l := range of.Entries {
		if l.TLS == nil || l.TLS.Mode != nil && *l.TLS.Mode == gatewayapi.TLSModePassthrough {
			continue
		}
		for j, ref := range l.TLS.CertificateRefs {
			if ref.Group != nil && *ref.Group != "" {
				continue
			}
			c := certificate{fmt.Sprintf("spec.listeners[%d].tls.certificateRefs[%d]", i, j), "Secret", of.Namespace, string(ref.Name)}
			if ref.Kind != nil {
				c.kind = string(*ref.Kind)
			}
			if ref.Namespace != nil && *ref.Namespace != "" {
				c.namespace = string(*ref.Namespace)
			}
			all = append(all, c)
		}
	}
	return all
}
