package gateway

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/hint"
	"github.com/meshctl/meshctl/internal/mesh"
)

// MissingCredential finds servers whose certificate is not there.
var MissingCredential = &analyze.Check{
	Code: "IST0101", Name: "missing-credential", Severity: analyze.Error,
	Reads: []mesh.Kind{mesh.Gateway, mesh.Pod, mesh.Secret},
	Uses:  mesh.WorkloadKinds()[1:],
	Doc: analyze.Doc{
		What: "A server of a Gateway names a Secret that is not in the namespace of the gateway's workloads.",
		Why:  "Proxies wait for the certificate and do not open the server's port, or reset every TLS connection to its hosts.",
		Fix:  "Create the Secret in the namespace of the gateway's pods, which need not be that of the Gateway; or correct the name.",
	},
	Run: func(p *analyze.Pass) {
		for _, gw := range p.Gateways() {
			reported := map[string]bool{}
			for _, c := range p.Credentials(gw) {
				if c.CA || p.Get(c.Kind, c.Namespace, c.Name) != nil || reported[c.Path] {
					continue
				}
				if !p.KnowsSecret(c.Namespace, c.Name) {
					p.CantTell(mesh.Secret, c.Namespace)
					continue
				}
				reported[c.Path] = true
				f := p.Report(gw.At("%s", c.Path), "there is no Secret %q in namespace %q, where the gateway's pods are", c.Name, c.Namespace)
				suggestSecret(f, p, gw.Namespace, c)
			}
		}
	},
}

// suggestSecret names the Secret that was probably meant: one of the Gateway's
// own namespace, where it is not looked for, or one with a similar name.
func suggestSecret(f *analyze.Finding, p *analyze.Pass, own string, c mesh.Credential) {
	if secret := p.Get(mesh.Secret, own, c.Name); secret != nil && own != c.Namespace {
		f.Evidence(secret.At(""), "has the name, but is in another namespace").
			Suggest("create it in namespace %q", c.Namespace)
		return
	}
	var there []string
	for _, secret := range p.Objects(mesh.Secret) {
		if secret.Namespace == c.Namespace {
			there = append(there, secret.Name)
		}
	}
	if best := hint.Closest(c.Name, there); best != "" {
		f.Suggest("change it to %q", best)
		return
	}
	f.Suggest("kubectl create -n %s secret tls %s --cert=FILE --key=FILE", c.Namespace, c.Name)
}
