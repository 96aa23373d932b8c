package authorizationpolicy

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		MissingNamespace, // IST0101
		WithoutWorkloads, // IST0127
	}
}
