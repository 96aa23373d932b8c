package certificate

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		Expired,    // MSH0801
		Expiring,   // MSH0802
		NotForHost, // MSH0803
	}
}
