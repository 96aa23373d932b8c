// Package mtls has the checks of clients and servers that do not agree on
// mutual TLS: DestinationRules on one side, PeerAuthentications on the other.
package mtls

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		PlaintextToStrict,       // MSH0120
		PlaintextToStrictMesh,   // MSH0121
		MutualToPlaintext,       // MSH0122
		MutualToPlaintextMesh,   // MSH0123
		StrictWithoutRule,       // MSH0124
		StrictMeshWithoutRule,   // MSH0125
		MutualWithoutPolicy,     // MSH0126
		MutualWithoutMeshPolicy, // MSH0127
	}
}
