package mesh

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"
)

// CASuffix is on the names of Secrets that hold certificate authorities alone.
const CASuffix = "-cacert"

// Credential is a Secret, or a ConfigMap, that a gateway takes certificates from.
type Credential struct {
	Ref
	// Path is the field that names it, such as spec.servers[0].tls.credentialName.
	Path string
	// Server is the index of the server or listener; -1 when it is for all.
	Server int
	// CA says that it holds the authorities of clients' certificates, and no key.
	CA bool
	// Or is where authorities are looked for when Ref is not there.
	Or string
}

// Credentials are what the servers of a Gateway take their certificates from:
// istiod looks beside each of the gateway's workloads.
func (s *Snapshot) Credentials(gw *Resource[*networking.Gateway]) []Credential {
	var namespaces []string
	var all []Credential
	for i, server := range gw.Spec.GetServers() {
		named := serverCredentials(i, server.GetTls())
		if len(named) > 0 && namespaces == nil {
			namespaces = s.gatewayNamespaces(gw)
		}
		for _, c := range named {
			if c.Namespace != "" {
				all = append(all, c)
				continue
			}
			for _, ns := range namespaces {
				c.Namespace = ns
				all = append(all, c)
			}
		}
	}
	return all
}

// gatewayNamespaces are the namespaces of a Gateway's workloads.
func (s *Snapshot) gatewayNamespaces(gw *Resource[*networking.Gateway]) []string {
	namespaces := []string{}
	if len(gw.Spec.GetSelector()) == 0 {
		return namespaces
	}
	for _, w := range s.GatewayWorkloads(gw.Namespace, gw.Spec.GetSelector()) {
		namespaces = append(namespaces, w.Object.Namespace)
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// serverCredentials are those of one server; without namespace they are beside
// the workloads.
func serverCredentials(i int, tls *networking.ServerTLSSettings) []Credential {
	mutual := tls.GetMode() == networking.ServerTLSSettings_MUTUAL || tls.GetMode() == networking.ServerTLSSettings_OPTIONAL_MUTUAL
	if !mutual && tls.GetMode() != networking.ServerTLSSettings_SIMPLE {
		return nil
	}
	var all []Credential
	add := func(text, path string, ca bool, or string) {
		if ref, ok := credentialRef(text); ok {
			all = append(all, Credential{Ref: ref, Path: fmt.Sprintf("spec.servers[%d].tls.%s", i, path), Server: i, CA: ca, Or: or})
		}
	}
	first, firstPath := tls.GetCredentialName(), "credentialName"
	if len(tls.GetCredentialNames()) == 0 {
		add(first, firstPath, false, "")
	}
	for j, name := range tls.GetCredentialNames() {
		path := fmt.Sprintf("credentialNames[%d]", j)
		add(name, path, false, "")
		if j == 0 {
			first, firstPath = name, path
		}
	}
	switch {
	case !mutual:
	case tls.GetCaCertCredentialName() != "":
		name := tls.GetCaCertCredentialName()
		add(name, "caCertCredentialName", true, strings.TrimSuffix(name, CASuffix))
	case first != "":
		add(first+CASuffix, firstPath, true, first)
	}
	return all
}

// credentialRef reads the name of a credential; ok is false for what no object
// holds, such as the certificates of another SDS server.
func credentialRef(text string) (ref Ref, ok bool) {
	ref.Kind = Secret
	scheme, name, found := strings.Cut(text, "://")
	if !found {
		scheme, name = "kubernetes", text
	}
	switch scheme {
	case "kubernetes":
	case "configmap":
		ref.Kind = ConfigMap
	default:
		return Ref{}, false
	}
	if ns, rest, found := strings.Cut(name, "/"); found {
		ref.Namespace, name = ns, rest
	}
	ref.Name = name
	return ref, name != ""
}

// KubernetesCredentials are what a Gateway of the Gateway API takes its
// certificates from.
func KubernetesCredentials(gw *Resource[*gatewayapi.GatewaySpec]) []Credential {
	return append(ListenerCredentials(ListenersOf(gw)), clientAuthorities(gw)...)
}

// ListenerCredentials are the Secrets that listeners take their certificates from.
func ListenerCredentials(of Listeners) []Credential {
	var all []Credential
	for i, l := range of.Entries {
		if l.TLS == nil || l.TLS.Mode != nil && *l.TLS.Mode != gatewayapi.TLSModeTerminate {
			continue
		}
		for j, ref := range l.TLS.CertificateRefs {
			if ref.Kind != nil && *ref.Kind != "Secret" || ref.Group != nil && *ref.Group != "" || strings.Contains(string(ref.Name), "://") {
				continue
			}
			namespace := of.Namespace
			if ref.Namespace != nil {
				namespace = cmp.Or(string(*ref.Namespace), namespace)
			}
			all = append(all, Credential{
				Ref:  Ref{Kind: Secret, Namespace: namespace, Name: string(ref.Name)},
				Path: fmt.Sprintf("spec.listeners[%d].tls.certificateRefs[%d].name", i, j), Server: i,
			})
		}
	}
	return all
}

// clientAuthorities are where a Gateway has the authorities of its clients.
func clientAuthorities(gw *Resource[*gatewayapi.GatewaySpec]) []Credential {
	if gw.Spec.TLS == nil || gw.Spec.TLS.Frontend == nil {
		return nil
	}
	var all []Credential
	add := func(path string, v *gatewayapi.FrontendTLSValidation) {
		if v == nil {
			return
		}
		for i, ref := range v.CACertificateRefs {
			kind := ConfigMap
			if ref.Kind == "Secret" {
				kind = Secret
			}
			namespace := gw.Namespace
			if ref.Namespace != nil {
				namespace = cmp.Or(string(*ref.Namespace), namespace)
			}
			all = append(all, Credential{
				Ref:  Ref{Kind: kind, Namespace: namespace, Name: string(ref.Name)},
				Path: fmt.Sprintf("%s.validation.caCertificateRefs[%d].name", path, i), Server: -1, CA: true,
			})
		}
	}
	add("spec.tls.frontend.default", gw.Spec.TLS.Frontend.Default.Validation)
	for i, per := range gw.Spec.TLS.Frontend.PerPort {
		add(fmt.Sprintf("spec.tls.frontend.perPort[%d].tls", i), per.TLS.Validation)
	}
	return all
}

// KnowsSecret says whether the absence of a Secret means that it does not
// exist. Files rarely hold all Secrets, not even those of a whole mesh: it takes
// one with a certificate (in the same namespace, unless the input is complete),
// and nothing that would make the Secret.
func (s *Snapshot) KnowsSecret(namespace, name string) bool {
	if s.read[Secret] && s.KnownEverywhere(Secret) {
		return true
	}
	if !s.KnownIn(Secret, namespace) || s.promised()[Ref{Kind: Secret, Namespace: namespace, Name: name}] {
		return false
	}
	with := s.withCertificates()
	return with[namespace] || s.options.Complete && len(with) > 0
}

// newPromised are the Secrets that objects of other tools make when they are
// applied: cert-manager's Certificates, or the Gateways that are annotated for
// it, and the usual stores of secrets.
func (c *content) newPromised() map[Ref]bool {
	all := map[Ref]bool{}
	for _, o := range c.byKind[KubernetesGateway] {
		if gw := As[*gatewayapi.GatewaySpec](o); gw != nil && promised(o) {
			for _, credential := range KubernetesCredentials(gw) {
				all[credential.Ref] = true
			}
		}
	}
	for _, set := range typedOf[*gatewayapi.ListenerSetSpec](c, ListenerSet) {
		if promised(set.Object) {
			for _, credential := range ListenerCredentials(ListenersOfSet(set)) {
				all[credential.Ref] = true
			}
		}
	}
	for kind, objects := range c.byKind {
		if _, known := kindByName[kind.Group+"/"+kind.Kind]; known {
			continue
		}
		for _, o := range objects {
			for _, name := range []string{o.Name, text(o.Field("spec", "secretName")), text(o.Field("spec", "target", "name")), text(o.Field("spec", "destination", "name"))} {
				if name != "" {
					all[Ref{Kind: Secret, Namespace: o.Namespace, Name: name}] = true
				}
			}
		}
	}
	return all
}

// promised says whether cert-manager makes the Secrets that an object names.
func promised(o *Object) bool {
	return o.Annotations["cert-manager.io/issuer"] != "" || o.Annotations["cert-manager.io/cluster-issuer"] != ""
}

// newWithCertificates are the namespaces of which there is a Secret with a certificate.
func (c *content) newWithCertificates() map[string]bool {
	all := map[string]bool{}
	for _, o := range c.byKind[Secret] {
		for _, field := range []string{"data", "stringData"} {
			m, _ := o.Field(field).(map[string]any)
			if m["tls.crt"] != nil || m["cert"] != nil {
				all[o.Namespace] = true
			}
		}
	}
	return all
}
