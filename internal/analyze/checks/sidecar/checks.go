package sidecar

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		DeprecatedEgressProxy, // IST0002
		SelectorUnmatched,     // IST0101
		Conflicting,           // IST0110
		MultipleDefault,       // IST0111
		UnknownHost,           // MSH0520
		RootDefault,           // MSH0521
		PolicyWithoutMode,     // MSH0522
	}
}
