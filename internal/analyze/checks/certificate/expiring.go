package certificate

import (
	"crypto/x509"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

const (
	// soon is how long before its end a certificate is worth a word.
	soon = 60 * 24 * time.Hour
	// shortLived is the longest life of certificates that nobody renews by hand.
	shortLived = 100 * 24 * time.Hour
)

// Expiring finds certificates that expire within 60 days.
var Expiring = &analyze.Check{
	Code: "MSH0802", Name: "expiring-certificate", Severity: analyze.Warning,
	Reads: reads(),
	Uses:  uses(),
	Doc: analyze.Doc{
		What: "A certificate that a gateway uses expires within 60 days. For certificates that a machine renews (cert-manager's, and those with a life of 100 days at most) that is only worth knowing, until less than a quarter of their life is left.",
		Why:  "When it expires, TLS handshakes fail: clients refuse the gateway, or the gateway its clients. One that should have been renewed and was not says that the renewal is broken.",
		Fix:  "Put a new certificate into the Secret, or look why it is not renewed. Gateways take it over within seconds and without restart.",
	},
	Run: func(p *analyze.Pass) {
		for _, h := range all(p) {
			last := lasting(h)
			left := last.NotAfter.Sub(p.Now)
			if left < 0 || left > soon {
				continue
			}
			what := "the certificate"
			if h.ca {
				what = "the last certificate authority for clients"
			}
			days := int(left.Hours() / 24)
			f := h.evidence(p.Report(h.At(), "%s (%s) expires on %s, in %d days", what, name(last), day(last.NotAfter), days))
			switch machine := renewed(h.Object, last); {
			case machine && left > last.NotAfter.Sub(last.NotBefore)/4:
				f.As(analyze.Info).Suggest("nothing: it is renewed by machine, and not yet late")
			case machine:
				f.Suggest("look why it is not renewed: less than a quarter of its life is left")
			default:
				f.Suggest("renew it before that day")
			}
		}
	},
}

// renewed says whether a machine renews a certificate.
func renewed(o *mesh.Object, c *x509.Certificate) bool {
	for key := range o.Annotations {
		if strings.HasPrefix(key, "cert-manager.io/") {
			return true
		}
	}
	return c.NotAfter.Sub(c.NotBefore) <= shortLived
}
