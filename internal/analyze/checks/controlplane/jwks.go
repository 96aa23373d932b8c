package controlplane

import (
	"fmt"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/analyze/checks/selector"
	"github.com/meshctl/meshctl/internal/mesh"
)

// blockedCIDRs is the variable that keeps istiod from fetching keys from some addresses.
const blockedCIDRs = "BLOCKED_CIDRS_IN_JWKS_URIS"

// UnrestrictedJWKS finds control planes that fetch keys from wherever a
// RequestAuthentication says.
var UnrestrictedJWKS = &analyze.Check{
	Code: "IST0175", Name: "jwks-fetch-unrestricted", Severity: analyze.Warning,
	Reads: []mesh.Kind{mesh.RequestAuthentication, mesh.Deployment},
	Uses:  []mesh.Kind{mesh.Pod, mesh.StatefulSet, mesh.DaemonSet, mesh.ReplicaSet, mesh.Job, mesh.CronJob},
	Doc: analyze.Doc{
		What: "istiod fetches the keys of RequestAuthentications from their jwksUri, and nothing limits which addresses it may ask.",
		Why:  "Whoever may write a RequestAuthentication can make istiod send requests from inside the cluster, to the cloud's metadata service or to internal servers.",
		Fix:  "Set BLOCKED_CIDRS_IN_JWKS_URIS on istiod (values pilot.env) to the ranges that it must not ask, such as 169.254.0.0/16 and the ranges of nodes and pods.",
	},
	Run: func(p *analyze.Pass) {
		fetched := fetchedKeys(p)
		if len(fetched) == 0 {
			return
		}
		for _, w := range p.WorkloadsIn(p.IstioNamespace()) {
			if w.PodLabels["app"] != "istiod" {
				continue
			}
			for i, c := range w.Pod.Containers {
				if blocked, mode := env(c, blockedCIDRs), env(c, "PILOT_JWT_ENABLE_REMOTE_JWKS"); c.Name != "discovery" || blocked != "" || strings.EqualFold(mode, "envoy") {
					continue
				}
				p.Report(w.At("spec.containers[%d].env", i), "istiod asks any address that a jwksUri names (%s)", selector.Few(fetched)).
					Suggest("set %s to the ranges that it must not ask, such as 169.254.0.0/16", blockedCIDRs)
			}
		}
	},
}

// fetchedKeys names the RequestAuthentications with keys that are not written
// into them.
func fetchedKeys(p *analyze.Pass) []string {
	var names []string
	for _, ra := range p.RequestAuthentications() {
		for _, rule := range ra.Spec.GetJwtRules() {
			if rule.GetJwks() == "" {
				names = append(names, fmt.Sprintf("RequestAuthentication %s/%s", ra.Namespace, ra.Name))
				break
			}
		}
	}
	return names
}

// env is a variable of a container; "set" when its value comes from elsewhere.
func env(c core.Container, name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			if e.ValueFrom != nil {
				return "set"
			}
			return strings.TrimSpace(e.Value)
		}
	}
	return ""
}
