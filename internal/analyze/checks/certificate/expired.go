// Package certificate has the checks of what is in the certificates of gateways.
package certificate

import (
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/credential"
	"github.com/meshctl/meshctl/internal/mesh"
)

// reads and uses of all checks of this folder.
func reads() []mesh.Kind {
	return []mesh.Kind{mesh.Gateway, mesh.KubernetesGateway, mesh.Pod, mesh.Secret}
}
func uses() []mesh.Kind { return append(mesh.WorkloadKinds()[1:], mesh.ConfigMap) }

// held is what one Secret or ConfigMap holds, and who uses it.
type held struct {
	*credential.Material
	ca   bool
	uses []credential.Use
}

// all are the readable certificates that gateways use, each once, in the order
// of their first use.
func all(p *analyze.Pass) []*held {
	reader := credential.NewReader(p)
	known := map[*credential.Material]*held{}
	var list []*held
	for _, use := range credential.Uses(p) {
		m := reader.Of(use)
		if m == nil || len(m.Certificates) == 0 {
			continue
		}
		if known[m] == nil {
			known[m] = &held{Material: m, ca: use.CA}
			list = append(list, known[m])
		}
		known[m].uses = append(known[m].uses, use)
	}
	return list
}

// evidence names the first Gateways that use a certificate, each once.
func (h *held) evidence(f *analyze.Finding) *analyze.Finding {
	seen := map[*mesh.Object]bool{}
	for _, use := range h.uses {
		if len(seen) < 3 && !seen[use.Gateway] {
			seen[use.Gateway] = true
			f.Evidence(use.At(), "uses it")
		}
	}
	return f
}

// istio says whether a Gateway of Istio's uses it as its own certificate:
// whether that is valid is for IST0161 to say.
func (h *held) istio() bool {
	return !h.ca && slices.ContainsFunc(h.uses, func(u credential.Use) bool { return u.Istio != nil })
}

// Expired finds certificates that nobody accepts any longer.
var Expired = &analyze.Check{
	Code: "MSH0801", Name: "expired-certificate", Severity: analyze.Error,
	Reads: reads(),
	Uses:  uses(),
	Doc: analyze.Doc{
		What: "A certificate that a gateway uses is expired: that of a Gateway API Gateway, all authorities for the certificates of clients, or, as a warning, the one that signed the gateway's. The certificates of Istio's own Gateways are judged by IST0161.",
		Why:  "Clients refuse the gateway, or the gateway refuses its clients: TLS handshakes fail.",
		Fix:  "Put a new certificate into the Secret. Gateways take it over within seconds and without restart.",
	},
	Run: func(p *analyze.Pass) {
		for _, h := range all(p) {
			last := lasting(h)
			switch {
			case !h.istio() && p.Now.After(last.NotAfter):
				what := "the certificate"
				if h.ca {
					what = "the last certificate authority for clients"
				}
				h.evidence(p.Report(h.At(), "%s (%s) expired on %s", what, name(last), day(last.NotAfter))).
					Suggest("renew it")
			case !h.ca && signerExpired(h.Certificates, p.Now):
				h.evidence(p.Report(h.At(), "the certificate that signed this one (%s) expired on %s", name(h.Certificates[1]), day(h.Certificates[1].NotAfter)).As(analyze.Warning)).
					Suggest("replace the chain with that of the authority's present certificate")
			}
		}
	},
}

// lasting is the certificate that decides: the server's own, or of several
// authorities the one that is valid longest.
func lasting(h *held) *x509.Certificate {
	if !h.ca {
		return h.Certificates[0]
	}
	return slices.MaxFunc(h.Certificates, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
}

// signerExpired says whether the certificate that comes second signed the first
// and is expired, while the first is not.
func signerExpired(chain []*x509.Certificate, now time.Time) bool {
	return len(chain) > 1 && now.After(chain[1].NotAfter) && !now.After(chain[0].NotAfter) && chain[0].CheckSignatureFrom(chain[1]) == nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// name is what people know a certificate by.
func name(c *x509.Certificate) string {
	switch {
	case len(c.DNSNames) > 1:
		return fmt.Sprintf("%s and %d more", c.DNSNames[0], len(c.DNSNames)-1)
	case len(c.DNSNames) == 1:
		return c.DNSNames[0]
	case c.Subject.CommonName != "":
		return c.Subject.CommonName
	}
	return c.Subject.String()
}
