package serviceentry

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		SharedPort,           // IST0134
		ConflictingProtocols, // IST0177
		Duplicate,            // MSH0530
	}
}
