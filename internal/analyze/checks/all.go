// Package checks is the list of all checks. Each is a file of its own in a
// folder named for its subject, with its cases in testdata beside it.
package checks

import (
	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/authorizationpolicy"
	"github.com/meshctl/meshctl/internal/analyze/checks/destinationrule"
	"github.com/meshctl/meshctl/internal/analyze/checks/gateway"
	"github.com/meshctl/meshctl/internal/analyze/checks/injection"
	"github.com/meshctl/meshctl/internal/analyze/checks/schema"
	"github.com/meshctl/meshctl/internal/analyze/checks/service"
	"github.com/meshctl/meshctl/internal/analyze/checks/serviceentry"
	"github.com/meshctl/meshctl/internal/analyze/checks/sidecar"
	"github.com/meshctl/meshctl/internal/analyze/checks/virtualservice"
)

// All are all checks, by code and name.
func All() []*analyze.Check {
	return []*analyze.Check{
		gateway.SelectorUnmatched,              // IST0101
		virtualservice.MissingGateway,          // IST0101
		virtualservice.MissingHost,             // IST0101
		authorizationpolicy.MissingNamespace,   // IST0101
		virtualservice.MissingSubset,           // IST0101
		sidecar.SelectorUnmatched,              // IST0101
		injection.NamespaceNotInjected,         // IST0102
		injection.MissingProxy,                 // IST0103
		schema.Invalid,                         // IST0106
		virtualservice.ConflictingHosts,        // IST0109
		sidecar.Conflicting,                    // IST0110
		sidecar.MultipleDefault,                // IST0111
		service.PortName,                       // IST0118
		injection.MultipleLabels,               // IST0123
		authorizationpolicy.WithoutWorkloads,   // IST0127
		destinationrule.NoVerification,         // IST0128
		destinationrule.NoVerificationOnPort,   // IST0129
		schema.UnreachableRule,                 // IST0130
		schema.IneffectiveMatch,                // IST0131
		virtualservice.HostNotInGateway,        // IST0132
		schema.Doubtful,                        // IST0133
		serviceentry.SharedPort,                // IST0134
		gateway.Conflicting,                    // IST0145
		service.ExternalNamePort,               // IST0150
		gateway.PortNotOnService,               // IST0162
		destinationrule.SubsetWithoutWorkloads, // IST0173
		destinationrule.UnknownHost,            // IST0174
	}
}
