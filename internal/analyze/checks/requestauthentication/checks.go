package requestauthentication

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		WithoutWorkloads,   // MSH0106
		ConflictingDefault, // MSH0107
		Conflicting,        // MSH0108
	}
}
