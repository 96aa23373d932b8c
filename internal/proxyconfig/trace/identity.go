package trace

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"strings"
)

// Identity is what the proxy shows in mutual TLS, without "spiffe://": the
// name in its own certificate. It is empty when the dump does not tell.
func (d *Dump) Identity() string {
	raw, ok := d.secrets["default"]
	if !ok {
		return d.nodeIdentity()
	}
	text, err := base64.StdEncoding.DecodeString(textOf(member(raw, "secret", "tls_certificate", "certificate_chain", "inline_bytes")))
	if err != nil {
		return d.nodeIdentity()
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return d.nodeIdentity()
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return d.nodeIdentity()
	}
	for _, uri := range cert.URIs {
		if uri.Scheme == "spiffe" {
			return strings.TrimPrefix(uri.String(), "spiffe://")
		}
	}
	return ""
}

// nodeIdentity puts the identity together from what the proxy told istiod of
// itself, for dumps without secrets; "" when that does not say enough.
func (d *Dump) nodeIdentity() string {
	meta := &d.bootstrap.Node.Metadata
	domain := d.trustDomain()
	if domain == "" || meta.ServiceAccount == "" || d.Namespace() == "" {
		return ""
	}
	return fmt.Sprintf("%s/ns/%s/sa/%s", domain, d.Namespace(), meta.ServiceAccount)
}

// trustDomain is the one that the proxy's inbound listener accepts, if it is one only.
func (d *Dump) trustDomain() string {
	l := d.virtual("INBOUND")
	if l == nil {
		return ""
	}
	_, rest, ok := strings.Cut(string(l.raw), `"spiffe://`)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, `"`)
	domain, _, _ := strings.Cut(name, "/")
	if strings.Count(string(l.raw), `"spiffe://`+domain+`/`) != strings.Count(string(l.raw), `"spiffe://`) {
		return ""
	}
	return domain
}
