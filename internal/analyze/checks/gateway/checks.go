package gateway

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		SelectorUnmatched, // IST0101
		Conflicting,       // IST0145
		PortNotOnService,  // IST0162
	}
}
