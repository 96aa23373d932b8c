// Package ambient has the checks of ambient mode: what only a waypoint enforces
// or reads, and what stands in a waypoint's or ztunnel's way.
package ambient

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		PolicyWithoutWaypoint,         // MSH0401
		PolicyWithoutTarget,           // MSH0402
		RuleWithoutWaypoint,           // MSH0403
		RuleNotEnrolled,               // MSH0404
		RuleOutOfPlace,                // MSH0405
		VirtualServiceWithoutWaypoint, // MSH0406
		VirtualServiceNotEnrolled,     // MSH0407
		VirtualServiceOutOfPlace,      // MSH0408
		AuthenticationWithoutWaypoint, // MSH0409
		AuthenticationWithoutTarget,   // MSH0410
		ExtensionWithoutWaypoint,      // MSH0411
		ExtensionWithoutTarget,        // MSH0412
		TelemetryWithoutWaypoint,      // MSH0413
		TelemetryWithoutTarget,        // MSH0414
		BothLabels,                    // MSH0415
		WaypointWithoutAmbient,        // MSH0416
		UnusableWaypoint,              // MSH0417
		RedirectedWithSidecar,         // MSH0418
		AmbientLabelOnSidecar,         // MSH0419
		SidecarInAmbient,              // MSH0420
		TargetWithoutWaypoint,         // MSH0421
		MissingTarget,                 // MSH0422
	}
}
