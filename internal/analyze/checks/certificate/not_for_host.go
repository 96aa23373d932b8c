package certificate

import (
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/credential"
	"github.com/meshctl/meshctl/internal/mesh"
)

// NotForHost finds servers whose certificate is for other hosts than theirs.
var NotForHost = &analyze.Check{
	Code: "MSH0803", Name: "certificate-not-for-host", Severity: analyze.Warning,
	Reads: reads(),
	Uses:  workloadKinds(),
	Doc: analyze.Doc{
		What: "A server has a host that none of its certificates is for. For self-signed certificates it is only worth knowing: whoever talks to them cannot verify them anyway.",
		Why:  "Clients that ask for the host get a certificate for another, and close the connection.",
		Fix:  "Put a certificate for the host into the Secret, or move the host to a server with the right one. A wildcard such as *.example.com is good for one label only, not for a.b.example.com.",
	},
	Run: func(p *analyze.Pass) {
		reader := credential.NewReader(p)
		uses := credential.Uses(p)
		for i, use := range uses {
			if use.CA || i > 0 && sameServer(uses[i-1], use) {
				continue
			}
			judge(p, use, materials(reader, uses[i:]))
		}
	},
}

func workloadKinds() []mesh.Kind { return mesh.WorkloadKinds()[1:] }

func sameServer(a, b credential.Use) bool {
	return a.Gateway == b.Gateway && a.Server == b.Server && !a.CA
}

// materials are the certificates of the first use's server, in all namespaces
// of its workloads; nil when one of them is not known.
func materials(reader *credential.Reader, uses []credential.Use) []*credential.Material {
	var all []*credential.Material
	for _, use := range uses {
		if use.Gateway != uses[0].Gateway || use.Server != uses[0].Server {
			break
		}
		if use.CA {
			continue
		}
		m := reader.Of(use)
		if m == nil || m.Problem != "" {
			return nil
		}
		all = append(all, m)
	}
	return all
}

// host is a host of a server, and where it stands.
type host struct{ name, path string }

func hostsOf(use credential.Use) []host {
	var all []host
	if use.Kube != nil {
		if l := use.Kube.Listeners[use.Server]; l.Hostname != nil {
			all = append(all, host{strings.ToLower(string(*l.Hostname)), fmt.Sprintf("spec.listeners[%d].hostname", use.Server)})
		}
		return all
	}
	for i, name := range use.Istio.GetServers()[use.Server].GetHosts() {
		if _, rest, found := strings.Cut(name, "/"); found {
			name = rest
		}
		all = append(all, host{strings.ToLower(name), fmt.Sprintf("spec.servers[%d].hosts[%d]", use.Server, i)})
	}
	return all
}

// judge reports the first host of a server that no certificate is for.
func judge(p *analyze.Pass, use credential.Use, materials []*credential.Material) {
	if len(materials) == 0 {
		return
	}
	for _, h := range hostsOf(use) {
		if h.name == "" || h.name == "*" || anyFor(materials, h.name) {
			continue
		}
		own := materials[0].Certificates[0]
		what := name(own)
		if len(own.DNSNames) == 0 {
			what = "no host at all, as it has no DNS names"
		}
		f := p.Report(use.Gateway.At("%s", h.path), "the certificate of the server is not for %q: it is for %s", h.name, what).
			Evidence(materials[0].At(), "is the certificate").
			Suggest("put a certificate for %q into the Secret, or give the host a server of its own", h.name)
		if own.Issuer.String() == own.Subject.String() {
			f.As(analyze.Info)
		}
		return
	}
}

func anyFor(materials []*credential.Material, host string) bool {
	for _, m := range materials {
		if covers(m.Certificates[0], host) {
			return true
		}
	}
	return false
}

// covers says whether a certificate is for a host. For a wildcard one name
// below it will do: which of the others are ever asked for, nobody knows.
func covers(c *x509.Certificate, host string) bool {
	if len(c.IPAddresses) > 0 && len(c.DNSNames) == 0 {
		return true // called by address
	}
	if !strings.HasPrefix(host, "*") {
		return c.VerifyHostname(host) == nil
	}
	for _, name := range c.DNSNames {
		if mesh.HostsOverlap(host, name) {
			return true
		}
	}
	return false
}
