// Package destinationrule has the checks of DestinationRules.
package destinationrule

import (
	"fmt"

	networking "istio.io/api/networking/v1alpha3"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// what both checks of certificate verification say.
const (
	unverifiedWhy = "TLS without verification hides the traffic from listeners, but anybody who can redirect it can answer for the server, read everything and change it."
	unverifiedFix = "Remove insecureSkipVerify. Proxies then verify against the system's certificate authorities; for a private one name its certificate in caCertificates, or a secret with it in credentialName."
)

// NoVerification finds rules that make proxies believe any server.
var NoVerification = &analyze.Check{
	Code: "IST0128", Name: "no-certificate-verification", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.DestinationRule},
	Uses:  mesh.WorkloadKinds(),
	Doc: analyze.Doc{
		What: "A DestinationRule opens TLS connections, of its host or a subset, without verifying the server's certificate.",
		Why:  unverifiedWhy,
		Fix:  unverifiedFix,
	},
	Run: func(p *analyze.Pass) {
		system := verifiesBySystem(p)
		forPolicies(p, func(dr rule, path string, policy *networking.TrafficPolicy) {
			unverified(p, dr, path+".tls", policy.GetTls(), system, "")
		})
	},
}

// NoVerificationOnPort is [NoVerification] for the settings of one port.
var NoVerificationOnPort = &analyze.Check{
	Code: "IST0129", Name: "no-certificate-verification-on-port", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.DestinationRule},
	Uses:  mesh.WorkloadKinds(),
	Doc: analyze.Doc{
		What: "A DestinationRule opens TLS connections to a port without verifying the server's certificate.",
		Why:  unverifiedWhy,
		Fix:  unverifiedFix,
	},
	Run: func(p *analyze.Pass) {
		system := verifiesBySystem(p)
		forPolicies(p, func(dr rule, path string, policy *networking.TrafficPolicy) {
			for i, settings := range policy.GetPortLevelSettings() {
				unverified(p, dr, fmt.Sprintf("%s.portLevelSettings[%d].tls", path, i), settings.GetTls(), system,
					fmt.Sprintf(" on port %d", settings.GetPort().GetNumber()))
			}
		})
	},
}

type rule = *mesh.Resource[*networking.DestinationRule]

// forPolicies calls f for each traffic policy of each rule, subsets included.
func forPolicies(p *analyze.Pass, f func(dr rule, path string, policy *networking.TrafficPolicy)) {
	for _, dr := range p.DestinationRules() {
		f(dr, "spec.trafficPolicy", dr.Spec.GetTrafficPolicy())
		for i, subset := range dr.Spec.GetSubsets() {
			f(dr, fmt.Sprintf("spec.subsets[%d].trafficPolicy", i), subset.GetTrafficPolicy())
		}
	}
}

// verifiesBySystem says whether proxies fall back to the system's certificate
// authorities; only an older istiod that is told so does without.
func verifiesBySystem(p *analyze.Pass) bool {
	return !p.ControlPlaneSets("VERIFY_CERTIFICATE_AT_CLIENT", "false")
}

func unverified(p *analyze.Pass, dr rule, path string, tls *networking.ClientTLSSettings, system bool, port string) {
	mode := tls.GetMode()
	if mode != networking.ClientTLSSettings_SIMPLE && mode != networking.ClientTLSSettings_MUTUAL {
		return
	}
	switch {
	case tls.GetInsecureSkipVerify().GetValue():
		p.Report(dr.At("%s.insecureSkipVerify", path), "the certificate of %q is not verified%s", dr.Spec.GetHost(), port).
			Suggest("remove insecureSkipVerify, and set caCertificates or credentialName if the server's authority is private")
	case !system && tls.GetCaCertificates() == "" && tls.GetCredentialName() == "":
		p.Report(dr.At("%s", path), "the certificate of %q is not verified%s: there are no caCertificates, and istiod has VERIFY_CERTIFICATE_AT_CLIENT=false", dr.Spec.GetHost(), port).
			Suggest("add caCertificates: /etc/ssl/certs/ca-certificates.crt, or that of the server's authority")
	}
}
