package service

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		PortConflict,           // IST0116
		PortName,               // IST0118
		UnknownAppProtocol,     // IST0118
		TargetPortConflict,     // IST0137
		DiffersBetweenClusters, // IST0170
		ExternalNamePort,       // IST0150
		MissingTargetPort,      // MSH0511
		UndeclaredTargetPort,   // MSH0512
	}
}
