package kubegateway

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		IneffectiveSelector, // IST0166
		IneffectiveSidecar,  // IST0167
		NegativeCondition,   // IST0171
	}
}
