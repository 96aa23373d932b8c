// Package webhook has the checks of Istio's admission webhooks.
package webhook

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		Overlap,        // IST0139
		MissingService, // IST0139
		InvalidURL,     // IST0163
		AddressURL,     // IST0164
	}
}
