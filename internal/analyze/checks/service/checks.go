package service

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		PortName,         // IST0118
		ExternalNamePort, // IST0150
	}
}
