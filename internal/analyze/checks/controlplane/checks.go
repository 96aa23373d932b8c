// Package controlplane has the checks of istiod's own settings and of the CRDs
// that it works with.
package controlplane

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		RBACCRDs,         // IST0002
		UnknownRegistry,  // IST0126
		UnrestrictedJWKS, // IST0175
		GatewayAPITooOld, // IST0176
	}
}
