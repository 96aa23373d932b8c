package destinationrule

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		NoVerification,         // IST0128
		NoVerificationOnPort,   // IST0129
		SubsetWithoutWorkloads, // IST0173
		UnknownHost,            // IST0174
		Overlapping,            // MSH0201
		OverriddenTLS,          // MSH0202
		SubsetWithoutLabels,    // MSH0203
	}
}
