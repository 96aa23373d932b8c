package gateway

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// SharedCertificate finds Gateways that show one certificate on one port.
var SharedCertificate = &analyze.Check{
	Code: "IST0138", Name: "shared-certificate", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.Gateway},
	Uses:  mesh.WorkloadKinds(),
	Doc: analyze.Doc{
		What: "Several Gateways for the same workloads use one certificate for HTTPS on one port, for different hosts.",
		Why:  "Browsers speak HTTP/2 and take a connection that they have to one host for another host of the same certificate. The request then reaches the first host's server, which answers 404: now and then, and only in browsers.",
		Fix:  "Serve all hosts of the certificate from one Gateway, with one server for them; VirtualServices of all namespaces can name it.",
	},
	Run: func(p *analyze.Pass) {
		of := groups(p)
		by := map[certificate]map[*group][]shown{}
		for _, gw := range p.Gateways() {
			for _, s := range certificatesOf(gw) {
				if by[s.certificate] == nil {
					by[s.certificate] = map[*group][]shown{}
				}
				by[s.certificate][of[gw.Object]] = append(by[s.certificate][of[gw.Object]], s)
			}
		}
		for _, gw := range p.Gateways() {
			for _, s := range certificatesOf(gw) {
				if sharedWith(p, s, of[gw.Object], by[s.certificate]) {
					break // one finding for a Gateway
				}
			}
		}
	},
}

// certificate is what a browser recognizes: where it is read, and on which port
// it is shown.
type certificate struct {
	source string
	port   uint32
	bind   string
}

// shown is a certificate in a server of a Gateway.
type shown struct {
	certificate
	gateway *mesh.Object
	server  *networking.Server
	path    string
}

// certificatesOf are the certificates that a Gateway shows to browsers.
func certificatesOf(gw *mesh.Resource[*networking.Gateway]) []shown {
	var all []shown
	for i, server := range gw.Spec.GetServers() {
		tls := server.GetTls()
		if !strings.EqualFold(server.GetPort().GetProtocol(), "HTTPS") || tls == nil {
			continue
		}
		add := func(source, format string, args ...any) {
			if source != "" && source != "|" {
				path := fmt.Sprintf("spec.servers[%d].tls.", i) + fmt.Sprintf(format, args...)
				all = append(all, shown{certificate{source, server.GetPort().GetNumber(), server.GetBind()}, gw.Object, server, path})
			}
		}
		add(secretSource(tls.GetCredentialName()), "credentialName")
		for j, name := range tls.GetCredentialNames() {
			add(secretSource(name), "credentialNames[%d]", j)
		}
		add(tls.GetServerCertificate()+"|"+tls.GetPrivateKey(), "serverCertificate")
		for j, c := range tls.GetTlsCertificates() {
			add(c.GetServerCertificate()+"|"+c.GetPrivateKey(), "tlsCertificates[%d].serverCertificate", j)
		}
	}
	return all
}

// secretSource is a credential's name without what may be left out of it.
func secretSource(name string) string { return strings.TrimPrefix(name, "kubernetes://") }

// sharedWith reports a certificate that other Gateways show to the same clients.
func sharedWith(p *analyze.Pass, s shown, g *group, there map[*group][]shown) bool {
	const most = 3
	var rivals []shown
	seen := map[*mesh.Object]bool{s.gateway: true}
	for near := range g.near {
		list := there[near]
		for _, other := range list[:min(len(list), most+4)] {
			if !seen[other.gateway] && !slices.Equal(bareHosts(other.server), bareHosts(s.server)) {
				seen[other.gateway] = true
				rivals = append(rivals, other)
			}
		}
	}
	if len(rivals) == 0 {
		return false
	}
	slices.SortFunc(rivals, func(a, b shown) int { return a.gateway.Compare(b.gateway.Ref) })
	name := strings.TrimSuffix(s.source, "|")
	if file, _, found := strings.Cut(name, "|"); found {
		name = file
	}
	f := p.Report(s.gateway.At("%s", s.path), "the certificate %q is in another Gateway's server for port %d, too: browsers that know one will send it requests for the other's hosts", name, s.port)
	for _, other := range rivals[:min(most, len(rivals))] {
		f.Evidence(other.gateway.At("%s", other.path), "shows it for other hosts")
	}
	f.Suggest("serve the hosts of the certificate from one server of one Gateway")
	return true
}

// bareHosts are a server's hosts without namespaces.
func bareHosts(server *networking.Server) []string {
	var hosts []string
	for _, s := range spotsOf(server) {
		hosts = append(hosts, s.host)
	}
	slices.Sort(hosts)
	return hosts
}
