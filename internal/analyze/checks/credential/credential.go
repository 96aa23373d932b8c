// Package credential is what the checks of gateways' certificates have in
// common: which Secrets there are, and what is in them.
package credential

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	networking "istio.io/api/networking/v1alpha3"
	core "k8s.io/api/core/v1"
	gatewayapi "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// Use is a credential and the Gateway that uses it: Istio's or the Gateway API's.
type Use struct {
	mesh.Credential
	Gateway *mesh.Object
	Istio   *networking.Gateway
	Kube    *gatewayapi.GatewaySpec
}

// At is the field that names the credential.
func (u Use) At() mesh.Location { return u.Gateway.At("%s", u.Path) }

// Uses are all credentials of all Gateways, by Gateway.
func Uses(p *analyze.Pass) []Use {
	var all []Use
	for _, gw := range p.Gateways() {
		for _, c := range p.Credentials(gw) {
			all = append(all, Use{c, gw.Object, gw.Spec, nil})
		}
	}
	for _, gw := range p.KubernetesGateways() {
		for _, c := range mesh.KubernetesCredentials(gw) {
			all = append(all, Use{c, gw.Object, nil, gw.Spec})
		}
	}
	return all
}

// Material is the certificates in an object, and what is wrong with them.
type Material struct {
	// Object is the Secret or ConfigMap, and Field where in it the certificates are.
	Object *mesh.Object
	Field  string
	// Certificates are those that could be read, the server's own first.
	Certificates []*x509.Certificate
	// Problem is why proxies cannot use them; empty when they can.
	Problem string
}

// At is the place of the certificates.
func (m *Material) At() mesh.Location { return m.Object.At("%s", m.Field) }

// Reader reads objects once.
type Reader struct {
	pass  *analyze.Pass
	pairs map[mesh.Ref]*Material
	roots map[mesh.Ref]*Material
}

// NewReader is a reader of what a pass holds.
func NewReader(p *analyze.Pass) *Reader {
	return &Reader{p, map[mesh.Ref]*Material{}, map[mesh.Ref]*Material{}}
}

// Of is what a use refers to; nil when the input does not hold it.
func (r *Reader) Of(u Use) *Material {
	if !u.CA {
		return r.remember(r.pairs, u.Ref, pair)
	}
	if m := r.remember(r.roots, u.Ref, authorities); m != nil || u.Or == "" {
		return m
	}
	or := u.Ref
	or.Name = u.Or
	return r.remember(r.roots, or, authorities)
}

func (r *Reader) remember(known map[mesh.Ref]*Material, ref mesh.Ref, read func(*mesh.Object, map[string][]byte) *Material) *Material {
	m, done := known[ref]
	if !done {
		if o := r.pass.Get(ref.Kind, ref.Namespace, ref.Name); o != nil && len(o.Problems()) == 0 {
			m = read(o, content(o))
			m.Object = o
		}
		known[ref] = m
	}
	return m
}

// content is the data of a Secret or ConfigMap as the API server stores it.
func content(o *mesh.Object) map[string][]byte {
	all := map[string][]byte{}
	if o.Kind == mesh.ConfigMap {
		for k, v := range mesh.As[*core.ConfigMap](o).Spec.Data {
			all[k] = []byte(v)
		}
		return all
	}
	secret := mesh.As[*core.Secret](o).Spec
	for k, v := range secret.Data {
		all[k] = v
	}
	for k, v := range secret.StringData {
		all[k] = []byte(v)
	}
	return all
}

// field is where a key of the data stands in the object.
func field(o *mesh.Object, key string) string {
	for _, name := range []string{"data", "stringData"} {
		if m, _ := o.Field(name).(map[string]any); m[key] != nil {
			return mesh.Path{name, key}.String()
		}
	}
	return ""
}

// pair reads a certificate and its key from where istiod looks for them.
func pair(o *mesh.Object, data map[string][]byte) *Material {
	for _, keys := range [][2]string{{"cert", "key"}, {"tls.crt", "tls.key"}} {
		if len(data[keys[0]]) == 0 || len(data[keys[1]]) == 0 {
			continue
		}
		m := &Material{Field: field(o, keys[0])}
		m.Certificates, m.Problem = chain(data[keys[0]], keys[0])
		if m.Problem == "" {
			m.Problem = mismatch(data[keys[0]], data[keys[1]], keys[1])
		}
		return m
	}
	return &Material{Problem: "holds neither tls.crt and tls.key nor cert and key"}
}

// authorities reads CA certificates from where istiod looks for them.
func authorities(o *mesh.Object, data map[string][]byte) *Material {
	for _, key := range []string{"cacert", "ca.crt"} {
		if len(data[key]) > 0 {
			m := &Material{Field: field(o, key)}
			m.Certificates, m.Problem = chain(data[key], key)
			return m
		}
	}
	return &Material{Problem: "holds neither ca.crt nor cacert"}
}

// chain are the certificates of a PEM text.
func chain(text []byte, key string) (all []*x509.Certificate, problem string) {
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return all, fmt.Sprintf("has a certificate in %s that cannot be read: %s", key, strings.TrimPrefix(err.Error(), "x509: "))
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Sprintf("holds no PEM certificate in %s", key)
	}
	return all, ""
}

// mismatch is why a key does not go with a certificate.
func mismatch(cert, key []byte, name string) string {
	if mesh.IsRedactedKey(key) {
		return "" // judged when the snapshot was saved
	}
	if block, _ := pem.Decode(key); block == nil {
		return fmt.Sprintf("holds no PEM key in %s", name)
	}
	_, err := tls.X509KeyPair(cert, key)
	switch {
	case err == nil:
		return ""
	case strings.Contains(err.Error(), "does not match"):
		return "holds a key that is not the certificate's"
	}
	return fmt.Sprintf("has a key in %s that cannot be read", name)
}
