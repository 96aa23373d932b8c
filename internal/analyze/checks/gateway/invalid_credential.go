package gateway

import (
	"time"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/credential"
	"github.com/meshctl/meshctl/internal/mesh"
)

// InvalidCredential finds servers whose certificate is there but of no use.
var InvalidCredential = &analyze.Check{
	Code: "IST0161", Name: "invalid-credential", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.Gateway, mesh.Pod, mesh.Secret},
	Uses:  append(mesh.WorkloadKinds()[1:], mesh.KubernetesGateway),
	Doc: analyze.Doc{
		What: "A server's Secret has no certificate and key under the names that istiod looks for, they cannot be read, do not belong together, or the certificate is not valid now.",
		Why:  "Proxies refuse the certificate and reset TLS connections to the server's hosts; or clients refuse it, when it is expired.",
		Fix:  "Put certificate and key into the Secret: kubectl create secret tls. For mutual TLS add the authorities of the clients as ca.crt.",
	},
	Run: func(p *analyze.Pass) {
		reader := credential.NewReader(p)
		reported := map[string]bool{}
		for _, use := range credential.Uses(p) {
			m := reader.Of(use)
			key := use.Gateway.String() + " " + use.Gateway.Kind.Group + " " + use.Path
			if m == nil || reported[key] {
				continue
			}
			problem := m.Problem
			switch {
			case use.CA && use.Kind == mesh.Secret && m.Problem != "" && m.Object.Name == use.Or && !p.KnowsSecret(use.Namespace, use.Name):
				continue // the authorities may be in a Secret of their own
			case problem == "" && !use.CA && use.Istio != nil:
				problem = outOfTime(m, p.Now)
			}
			if problem == "" {
				continue
			}
			reported[key] = true
			f := p.Report(use.At(), "%s %s", m.Object.Ref, problem)
			if m.Field != "" {
				f.Evidence(m.At(), "is the certificate")
			} else {
				f.Evidence(m.Object.At(""), "lacks it")
			}
			switch {
			case use.CA:
				f.Suggest("add the authorities of the clients to the Secret as ca.crt")
			default:
				f.Suggest("kubectl create -n %s secret tls %s --cert=FILE --key=FILE", m.Object.Namespace, m.Object.Name)
			}
		}
	},
}

// outOfTime is why a certificate is not valid now.
func outOfTime(m *credential.Material, now time.Time) string {
	c := m.Certificates[0]
	switch {
	case now.After(c.NotAfter):
		return "holds a certificate that expired on " + c.NotAfter.UTC().Format(time.DateOnly)
	case now.Before(c.NotBefore):
		return "holds a certificate that is not valid before " + c.NotBefore.UTC().Format(time.DateOnly)
	}
	return ""
}
