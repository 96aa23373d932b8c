package authorizationpolicy

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		MissingNamespace,          // IST0101
		WithoutWorkloads,          // IST0127
		UnknownMethod,             // MSH0110
		UnknownHost,               // MSH0111
		IdentityWithoutTLS,        // MSH0112
		UnknownServiceAccount,     // MSH0113
		UnusedServiceAccount,      // MSH0114
		UnknownTrustDomain,        // MSH0115
		MalformedPrincipal,        // MSH0116
		MissingPrincipalNamespace, // MSH0117
		WithoutAuthentication,     // MSH0118
		Uncovered,                 // MSH0604
	}
}
