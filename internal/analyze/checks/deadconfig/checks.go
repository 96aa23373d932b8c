package deadconfig

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		UnusedSubset,        // MSH0901
		ShadowedEntry,       // MSH0902
		ShadowedRoute,       // MSH0903
		RuleWithoutClients,  // MSH0904
		EntryWithoutClients, // MSH0905
	}
}
