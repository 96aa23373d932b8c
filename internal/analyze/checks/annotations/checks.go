package annotations

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		Misplaced,  // IST0107
		Unknown,    // IST0108
		Invalid,    // IST0125
		Deprecated, // IST0135
	}
}
