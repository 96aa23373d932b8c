package peerauthentication

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		MultipleDefault,   // MSH0101
		Conflicting,       // MSH0102
		WithoutWorkloads,  // MSH0103
		SelectorInRoot,    // MSH0104
		PortNotOnWorkload, // MSH0105
	}
}
