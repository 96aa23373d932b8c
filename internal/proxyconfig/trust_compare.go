package proxyconfig

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/output"
)

// TrustReport is the result of proxy-config rootca-compare.
type TrustReport struct {
	// Proxies are the two that were compared.
	Proxies []string `json:"proxies"`
	// Common says that both trust the same valid CA, if not all the same ones.
	Common bool `json:"common"`
	// Same says that both trust the same CAs.
	Same bool `json:"same"`
	// Accepted says that neither would refuse the other's certificate, as far as these are known.
	Accepted     bool           `json:"accepted"`
	Roots        []Root         `json:"roots"`
	Certificates []Presentation `json:"certificates"`
}

// Root is a CA that one of the proxies trusts, or both.
type Root struct {
	Subject string `json:"subject"`
	// Fingerprint is the SHA-256 of the certificate, in hexadecimal digits.
	Fingerprint string    `json:"fingerprint"`
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
	// Valid says that now is between the two.
	Valid     bool     `json:"valid"`
	TrustedBy []string `json:"trustedBy"`
}

// Presentation is what comes of one proxy showing its certificate to the other.
type Presentation struct {
	// From is the proxy whose certificate it is, To the one that judges it.
	From        string    `json:"from"`
	To          string    `json:"to"`
	TrustDomain string    `json:"trustDomain,omitempty"`
	NotAfter    time.Time `json:"notAfter"`
	Accepted    bool      `json:"accepted"`
	// Reason is why it is refused.
	Reason string `json:"reason,omitempty"`
}

// CompareTrust compares whom two proxies trust, at the time now.
func CompareTrust(a, b *Trust, now time.Time) *TrustReport {
	r := &TrustReport{Proxies: []string{a.Proxy, b.Proxy}, Same: true, Accepted: true, Roots: []Root{}, Certificates: []Presentation{}}
	for _, t := range []*Trust{a, b} {
		for _, c := range t.Roots {
			r.add(t.Proxy, c, now)
		}
	}
	for _, root := range r.Roots {
		both := len(root.TrustedBy) == 2
		r.Same = r.Same && both
		r.Common = r.Common || both && root.Valid
	}
	for _, pair := range [][2]*Trust{{a, b}, {b, a}} {
		if from, to := pair[0], pair[1]; len(from.Chain) > 0 {
			p := present(from, to, now)
			r.Accepted = r.Accepted && p.Accepted
			r.Certificates = append(r.Certificates, p)
		}
	}
	return r
}

// Good says that the two can trust each other.
func (r *TrustReport) Good() bool { return r.Common && r.Accepted }

func (r *TrustReport) add(proxy string, c *x509.Certificate, now time.Time) {
	digest := fmt.Sprintf("%x", sha256.Sum256(c.Raw))
	i := slices.IndexFunc(r.Roots, func(known Root) bool { return known.Fingerprint == digest })
	if i < 0 {
		i = len(r.Roots)
		r.Roots = append(r.Roots, Root{
			Subject: cmp.Or(c.Subject.String(), "-"), Fingerprint: digest, NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
			Valid: !now.Before(c.NotBefore) && !now.After(c.NotAfter),
		})
	}
	if !slices.Contains(r.Roots[i].TrustedBy, proxy) {
		r.Roots[i].TrustedBy = append(r.Roots[i].TrustedBy, proxy)
	}
}

func present(from, to *Trust, now time.Time) Presentation {
	leaf := from.Chain[0]
	p := Presentation{From: from.Proxy, To: to.Proxy, TrustDomain: from.TrustDomain(), NotAfter: leaf.NotAfter.UTC()}
	options := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}
	for _, c := range to.Roots {
		options.Roots.AddCert(c)
	}
	for _, c := range from.Chain[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(options)
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		p.Accepted = true
	case errors.As(err, &unknown):
		p.Reason = fmt.Sprintf("no CA that %s trusts has issued it; its issuer is %s", to.Proxy, cmp.Or(last(from.Chain).Issuer.String(), "without a name"))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		p.Reason = expiredReason(from, to, now)
	default:
		p.Reason = strings.TrimPrefix(err.Error(), "x509: ")
	}
	return p
}

// expiredReason says which certificate on the way is not valid now.
func expiredReason(from, to *Trust, now time.Time) string {
	for i, c := range slices.Concat(from.Chain, to.Roots) {
		what := "it"
		switch {
		case i >= len(from.Chain):
			what = "the CA " + c.Subject.String()
		case i > 0:
			what = "the certificate " + c.Subject.String() + " above it"
		}
		switch {
		case now.After(c.NotAfter):
			return fmt.Sprintf("%s expired on %s", what, c.NotAfter.UTC().Format(time.RFC3339))
		case now.Before(c.NotBefore):
			return fmt.Sprintf("%s is not valid before %s", what, c.NotBefore.UTC().Format(time.RFC3339))
		}
	}
	return "a certificate on the way to the root is not valid now"
}

func last(chain []*x509.Certificate) *x509.Certificate { return chain[len(chain)-1] }

// DocumentKind is the kind of the JSON and YAML document.
func (*TrustReport) DocumentKind() string { return "ProxyTrustComparison" }

// Tables is one row per CA, and below it what that means.
func (r *TrustReport) Tables(wide bool) []output.Table {
	t := output.Table{
		Columns: []string{"CA", "FINGERPRINT (SHA-256)", "NOT AFTER", "VALID", "TRUSTED BY"},
		Tone: func(column int, cell string) output.Tone {
			if column == 3 && cell == "false" {
				return output.Bad
			}
			return output.Plain
		},
	}
	for _, root := range r.Roots {
		digest := root.Fingerprint
		if !wide {
			digest = digest[:16]
		}
		by := strings.Join(root.TrustedBy, ", ")
		if len(root.TrustedBy) == 2 {
			by = "both"
		}
		t.Rows = append(t.Rows, []string{root.Subject, digest, root.NotAfter.Format(time.RFC3339), fmt.Sprint(root.Valid), by})
	}
	t.After = append([]string{""}, r.verdict()...)
	return []output.Table{t}
}

// verdict is the answer in sentences.
func (r *TrustReport) verdict() []string {
	var all []string
	switch {
	case r.Same && r.Common:
		all = append(all, "Both trust the same CAs.")
	case r.Common:
		all = append(all, "They have a CA in common, but do not trust the same ones.")
	case slices.ContainsFunc(r.Roots, func(root Root) bool { return len(root.TrustedBy) == 2 }):
		all = append(all, "The CAs that both trust are not valid now.")
	default:
		all = append(all, "They have no CA in common: mutual TLS between them fails.")
	}
	for _, p := range r.Certificates {
		says := "accepts"
		if !p.Accepted {
			says = "refuses"
		}
		line := fmt.Sprintf("%s %s the certificate of %s", p.To, says, p.From)
		if p.Reason != "" {
			line += ": " + p.Reason
		}
		all = append(all, line+".")
	}
	if c := r.Certificates; len(c) == 2 && c[0].TrustDomain != c[1].TrustDomain {
		all = append(all, fmt.Sprintf("Their trust domains differ, %s and %s: policies and service identities need trustDomainAliases in the mesh config.", orDash(c[0].TrustDomain), orDash(c[1].TrustDomain)))
	}
	return all
}
