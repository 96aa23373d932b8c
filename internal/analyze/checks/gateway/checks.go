package gateway

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		MissingCredential, // IST0101
		SelectorUnmatched, // IST0101
		SharedCertificate, // IST0138
		Conflicting,       // IST0145
		InvalidCredential, // IST0161
		PortNotOnService,  // IST0162
	}
}
