package checks

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/controlplane"
	"github.com/meshctl/meshctl/internal/analyze/checks/precheck"
)

// Precheck are the checks that only precheck runs, by code and name.
func Precheck() []*analyze.Check {
	return inOrder(append(precheck.Checks(), precheck.Incompatible(nil)))
}

// BeforeInstall are the checks that precheck runs: those of Precheck, with what
// an upgrade changes, and those of analyze that an install should wait for.
func BeforeInstall(changes func() []precheck.Change) []*analyze.Check {
	return inOrder(append(precheck.Checks(), precheck.Incompatible(changes), controlplane.GatewayAPITooOld))
}

// Known are all checks, whichever command runs them.
func Known() []*analyze.Check { return inOrder(append(All(), Precheck()...)) }

func inOrder(checks []*analyze.Check) []*analyze.Check {
	slices.SortFunc(checks, func(a, b *analyze.Check) int {
		return cmp.Or(strings.Compare(a.Code, b.Code), strings.Compare(a.Name, b.Name))
	})
	return checks
}
