package proxyconfig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/output"
)

func trustTime() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }

// authority is a CA that exists for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// issue makes a certificate; by nobody makes it a root, with a domain a leaf.
func issue(t *testing.T, by *authority, name, domain string, until time.Time) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{Organization: []string{name}}, NotBefore: trustTime().AddDate(-1, 0, 0), NotAfter: until,
		IsCA: domain == "", BasicConstraintsValid: true,
	}
	if domain != "" {
		c.Subject = pkix.Name{}
		c.URIs = []*url.URL{{Scheme: "spiffe", Host: domain, Path: "/ns/shop/sa/" + name}}
	}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.cert, by.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	return &authority{c, key}
}

func pemOf(all ...*authority) string {
	var b strings.Builder
	for _, a := range all {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
	}
	return b.String()
}

// secretsDump is a dump as Envoy writes it, of secrets in JSON.
func secretsDump(secrets ...string) string {
	return `{"configs": [{"@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump", "dynamic_active_secrets": [` + strings.Join(secrets, ",") + `]}]}`
}

func rootSecret(name, text string) string {
	return fmt.Sprintf(`{"name": %q, "secret": {"name": %q, "validation_context": {"trusted_ca": {"inline_bytes": %q}}}}`, name, name, base64.StdEncoding.EncodeToString([]byte(text)))
}

func certSecret(name, text string) string {
	return fmt.Sprintf(`{"name": %q, "secret": {"name": %q, "tls_certificate": {"certificate_chain": {"inline_bytes": %q}, "private_key": {"inline_bytes": "W3JlZGFjdGVkXQ=="}}}}`,
		name, name, base64.StdEncoding.EncodeToString([]byte(text)))
}

func trustOf(t *testing.T, name, text string) *Trust {
	t.Helper()
	trust, err := ReadTrust(Source{Name: name, Reader: strings.NewReader(text)})
	if err != nil {
		t.Fatal(err)
	}
	return trust
}

func TestCompareTrust(t *testing.T) {
	t.Parallel()
	later, past := trustTime().AddDate(5, 0, 0), trustTime().Add(-time.Hour)
	old, young, expired := issue(t, nil, "old", "", later), issue(t, nil, "young", "", later), issue(t, nil, "gone", "", past)
	between := issue(t, old, "between", "", later)
	proxy := func(name string, leaf []*authority, roots ...*authority) *Trust {
		return trustOf(t, name, secretsDump(certSecret("default", pemOf(leaf...)), rootSecret("ROOTCA", pemOf(roots...))))
	}
	leaf := func(by *authority, domain string, until time.Time) []*authority {
		return []*authority{issue(t, by, "sa", domain, until)}
	}
	for _, tc := range []struct {
		name string
		a, b *Trust
		good bool
		want []string
	}{
		{"the same root", proxy("a", leaf(old, "d", later), old), proxy("b", leaf(old, "d", later), old), true,
			[]string{"O=old HASH 2031-06-01T00:00:00Z true both", "", "Both trust the same CAs.", "b accepts the certificate of a.", "a accepts the certificate of b."}},
		{"a root is being replaced", proxy("a", leaf(young, "d", later), old, young), proxy("b", leaf(old, "d", later), young, old), true,
			[]string{"O=old HASH 2031-06-01T00:00:00Z true both", "O=young HASH 2031-06-01T00:00:00Z true both", "", "Both trust the same CAs.", "b accepts the certificate of a.", "a accepts the certificate of b."}},
		{"one has not got the new root, and the other uses it", proxy("a", leaf(young, "d", later), old, young), proxy("b", leaf(old, "d", later), old), false,
			[]string{"O=old HASH 2031-06-01T00:00:00Z true both", "O=young HASH 2031-06-01T00:00:00Z true a", "", "They have a CA in common, but do not trust the same ones.",
				"b refuses the certificate of a: no CA that b trusts has issued it; its issuer is O=young.", "a accepts the certificate of b."}},
		{"nothing in common", proxy("a", leaf(old, "d", later), old), proxy("b", leaf(young, "d", later), young), false,
			[]string{"O=old HASH 2031-06-01T00:00:00Z true a", "O=young HASH 2031-06-01T00:00:00Z true b", "", "They have no CA in common: mutual TLS between them fails.",
				"b refuses the certificate of a: no CA that b trusts has issued it; its issuer is O=old.", "a refuses the certificate of b: no CA that a trusts has issued it; its issuer is O=young."}},
		{"the common root has expired", proxy("a", leaf(expired, "d", later), expired), proxy("b", leaf(expired, "d", later), expired), false,
			[]string{"O=gone HASH 2026-05-31T23:00:00Z false both", "", "The CAs that both trust are not valid now.",
				"b refuses the certificate of a: the CA O=gone expired on 2026-05-31T23:00:00Z.", "a refuses the certificate of b: the CA O=gone expired on 2026-05-31T23:00:00Z."}},
		{"a certificate has expired", proxy("a", leaf(old, "d", past), old), proxy("b", leaf(old, "d", later), old), false,
			[]string{"O=old HASH 2031-06-01T00:00:00Z true both", "", "Both trust the same CAs.",
				"b refuses the certificate of a: it expired on 2026-05-31T23:00:00Z.", "a accepts the certificate of b."}},
		{"with an intermediate, and other trust domains", proxy("a", append(leaf(between, "east", later), between), old), proxy("b", leaf(old, "west", later), old), true,
			[]string{"O=old HASH 2031-06-01T00:00:00Z true both", "", "Both trust the same CAs.", "b accepts the certificate of a.", "a accepts the certificate of b.",
				"Their trust domains differ, east and west: policies and service identities need trustDomainAliases in the mesh config."}},
		{"the intermediate is missing", proxy("a", leaf(between, "d", later), old), proxy("b", leaf(old, "d", later), old), false,
			[]string{"O=old HASH 2031-06-01T00:00:00Z true both", "", "Both trust the same CAs.",
				"b refuses the certificate of a: no CA that b trusts has issued it; its issuer is O=between.", "a accepts the certificate of b."}},
		{"a PEM file", proxy("a", leaf(old, "d", later), old), trustOf(t, "root.pem", "# the mesh's\n"+pemOf(old, young)), true,
			[]string{"O=old HASH 2031-06-01T00:00:00Z true both", "O=young HASH 2031-06-01T00:00:00Z true root.pem", "", "They have a CA in common, but do not trust the same ones.",
				"root.pem accepts the certificate of a."}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := CompareTrust(tc.a, tc.b, trustTime())
			if r.Good() != tc.good {
				t.Errorf("good %t, want %t", r.Good(), tc.good)
			}
			hash := regexp.MustCompile(`\b[0-9a-f]{16}\b`)
			var got []string
			for line := range strings.Lines(hash.ReplaceAllString(logTable(t, r, output.AsTable), "HASH")) {
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			if diff := cmp.Diff(tc.want, got[1:]); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			text := logTable(t, r, output.AsJSON)
			if !json.Valid([]byte(text)) || strings.Contains(text, "null") {
				t.Errorf("document:\n%s", text)
			}
		})
	}
}

func TestReadTrust(t *testing.T) {
	t.Parallel()
	later := trustTime().AddDate(1, 0, 0)
	root, other := issue(t, nil, "root", "", later), issue(t, nil, "other", "", later)
	spiffe := fmt.Sprintf(`{"name": "ROOTCA", "secret": {"validationContext": {"customValidatorConfig": {"typedConfig": {"trustDomains": [
		{"name": "a", "trustBundle": {"inlineString": %q}}, {"name": "b", "trustBundle": {"inlineString": %q}}]}}}}}`, pemOf(root), pemOf(other))
	inCamel := strings.NewReplacer("dynamic_active_secrets", "dynamicActiveSecrets").Replace(secretsDump(spiffe))
	for name, tc := range map[string]struct {
		text, secret string
		roots        int
	}{
		"Istio's name wins":           {secretsDump(rootSecret("x", pemOf(other)), rootSecret("ROOTCA", pemOf(root))), "ROOTCA", 1},
		"another name, the only one":  {secretsDump(rootSecret("file-root:/etc/certs/root-cert.pem", pemOf(root, other))), "file-root:/etc/certs/root-cert.pem", 2},
		"bundles of trust domains":    {inCamel, "ROOTCA", 2},
		"an empty secret counts none": {secretsDump(rootSecret("x", ""), rootSecret("y", pemOf(root))), "y", 1},
	} {
		if trust := trustOf(t, "f", tc.text); trust.Secret != tc.secret || len(trust.Roots) != tc.roots {
			t.Errorf("%s: %d roots of %q", name, len(trust.Roots), trust.Secret)
		}
	}
	for text, want := range map[string]string{
		secretsDump(): "f has no root certificates",
		secretsDump(rootSecret("x", pemOf(root)), rootSecret("y", pemOf(other))):                                           "f has several sets of root certificates, and none is called ROOTCA",
		secretsDump(rootSecret("ROOTCA", "hello")):                                                                         `the certificate "ROOTCA" of f cannot be read: it is not a certificate in PEM`,
		secretsDump(`{"name": "ROOTCA", "secret": {"validation_context": {"trusted_ca": {"filename": "/etc/root.pem"}}}}`): "the root certificates of f are in its file /etc/root.pem, which is not in its configuration",
		"-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n":                                               "reading the certificates in f: it is not a certificate: x509: malformed certificate",
		"hello": `f is not an Envoy config dump: it is text that begins with "hello"`,
	} {
		_, err := ReadTrust(Source{Name: "f", Reader: strings.NewReader(text)})
		if err == nil || err.Error() != want || hint.ClassOf(err) != hint.Unanswerable {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func FuzzReadTrust(f *testing.F) {
	f.Add([]byte(secretsDump(rootSecret("ROOTCA", "x"), certSecret("default", "y"))))
	f.Add([]byte("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := ReadTrust(Source{Name: "f", Reader: strings.NewReader(string(b))})
		if err == nil {
			CompareTrust(a, a, trustTime()).Tables(true)
		}
	})
}
