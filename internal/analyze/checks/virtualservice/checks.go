package virtualservice

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		DeprecatedFaultPercent,     // IST0002
		MissingGateway,             // IST0101
		MissingHost,                // IST0101
		MissingPort,                // IST0101
		MissingSubset,              // IST0101
		ConflictingHosts,           // IST0109
		PortRequired,               // IST0112
		HostNotInGateway,           // IST0132
		BypassedSubsets,            // IST0140
		ClaimWithoutAuthentication, // IST0149
		InternalGateway,            // IST0165
		IneffectiveWeight,          // MSH0501
		DuplicateDestination,       // MSH0502
		ConflictingRoutes,          // MSH0503
		LegacyGatewayName,          // MSH0504
	}
}
