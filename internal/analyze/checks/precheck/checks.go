// Package precheck has the checks of what a cluster lacks before Istio is
// installed or upgraded. analyze does not run them, precheck does.
package precheck

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/annotations"
)

// Checks are the checks of this folder, and those of others that only precheck
// runs. [Incompatible] needs to know the versions and is made by the command.
func Checks() []*analyze.Check {
	return []*analyze.Check{
		annotations.Alpha,   // IST0136
		MissingPermission,   // IST0141
		KubernetesTooOld,    // IST0142
		GatewayAPINotServed, // IST0156
		GatewayAPINotV1,     // IST0172
	}
}
