// Package gatewayapi has the checks of the Gateway API: Gateways, routes,
// grants and what they refer to.
package gatewayapi

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		RouteNotAttached,      // MSH0301
		MissingBackend,        // MSH0302
		SharedListener,        // MSH0303
		SharedAddress,         // MSH0304
		ConflictingListeners,  // MSH0305
		UnknownClass,          // MSH0306
		GrantFromNowhere,      // MSH0307
		UnusedGrant,           // MSH0308
		MissingCertificate,    // MSH0309
		BackendTLSTarget,      // MSH0310
		InvalidRegex,          // MSH0311
		VirtualServiceGateway, // MSH0312
		SetNotAttached,        // MSH0313
	}
}
