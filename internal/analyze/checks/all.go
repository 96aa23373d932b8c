// Package checks is the list of all checks. Each is a file of its own in a
// folder named for its subject, with its cases in testdata beside it.
package checks

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/ambient"
	"github.com/meshctl/meshctl/internal/analyze/checks/annotations"
	"github.com/meshctl/meshctl/internal/analyze/checks/authorizationpolicy"
	"github.com/meshctl/meshctl/internal/analyze/checks/certificate"
	"github.com/meshctl/meshctl/internal/analyze/checks/controlplane"
	"github.com/meshctl/meshctl/internal/analyze/checks/deadconfig"
	"github.com/meshctl/meshctl/internal/analyze/checks/destinationrule"
	"github.com/meshctl/meshctl/internal/analyze/checks/envoyfilter"
	"github.com/meshctl/meshctl/internal/analyze/checks/exportto"
	"github.com/meshctl/meshctl/internal/analyze/checks/files"
	"github.com/meshctl/meshctl/internal/analyze/checks/gateway"
	"github.com/meshctl/meshctl/internal/analyze/checks/gatewayapi"
	"github.com/meshctl/meshctl/internal/analyze/checks/injection"
	"github.com/meshctl/meshctl/internal/analyze/checks/kubegateway"
	"github.com/meshctl/meshctl/internal/analyze/checks/mtls"
	"github.com/meshctl/meshctl/internal/analyze/checks/peerauthentication"
	"github.com/meshctl/meshctl/internal/analyze/checks/requestauthentication"
	"github.com/meshctl/meshctl/internal/analyze/checks/revision"
	"github.com/meshctl/meshctl/internal/analyze/checks/schema"
	"github.com/meshctl/meshctl/internal/analyze/checks/service"
	"github.com/meshctl/meshctl/internal/analyze/checks/serviceentry"
	"github.com/meshctl/meshctl/internal/analyze/checks/sidecar"
	"github.com/meshctl/meshctl/internal/analyze/checks/telemetry"
	"github.com/meshctl/meshctl/internal/analyze/checks/virtualservice"
	"github.com/meshctl/meshctl/internal/analyze/checks/webhook"
	"github.com/meshctl/meshctl/internal/analyze/checks/workload"
	"github.com/meshctl/meshctl/internal/analyze/checks/workloadgroup"
)

// All are all checks, by code and name.
func All() []*analyze.Check {
	all := slices.Concat(
		ambient.Checks(),
		annotations.Checks(),
		authorizationpolicy.Checks(),
		certificate.Checks(),
		controlplane.Checks(),
		deadconfig.Checks(),
		destinationrule.Checks(),
		envoyfilter.Checks(),
		exportto.Checks(),
		files.Checks(),
		gateway.Checks(),
		gatewayapi.Checks(),
		injection.Checks(),
		kubegateway.Checks(),
		mtls.Checks(),
		peerauthentication.Checks(),
		requestauthentication.Checks(),
		revision.Checks(),
		schema.Checks(),
		service.Checks(),
		serviceentry.Checks(),
		sidecar.Checks(),
		telemetry.Checks(),
		virtualservice.Checks(),
		webhook.Checks(),
		workload.Checks(),
		workloadgroup.Checks(),
	)
	all = append(all, analyze.UnusedSuppression, analyze.ExpiredSuppression)
	slices.SortFunc(all, func(a, b *analyze.Check) int {
		return cmp.Or(strings.Compare(a.Code, b.Code), strings.Compare(a.Name, b.Name))
	})
	return all
}
