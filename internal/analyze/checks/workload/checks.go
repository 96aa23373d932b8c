// Package workload has the checks of what runs pods.
package workload

import "github.com/meshctl/meshctl/internal/analyze"

// Checks are the checks of this folder.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		ProxyUID,           // IST0144
		TwoMeshes,          // MSH0601
		ServiceOfTwoMeshes, // MSH0601
	}
}
