package injection

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		NamespaceNotInjected,       // IST0102
		MissingProxy,               // IST0103
		MultipleLabels,             // IST0123
		ImageAutoNotInjected,       // IST0146
		ImageAutoRuns,              // IST0147
		NamespaceInjectedByDefault, // IST0148
		ProxyImageMismatch,         // IST0158
	}
}
