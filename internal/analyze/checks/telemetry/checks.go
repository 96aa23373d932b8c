package telemetry

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		DeprecatedLightstep, // IST0002
		SelectorUnmatched,   // IST0101
		NoProvider,          // IST0157
		Conflicting,         // IST0159
		MultipleDefault,     // IST0160
	}
}
