package mesh

import "strings"

// ControlPlaneEnv is an environment variable of the revision's istiod, which
// is where istiod's features are switched; empty when it is not set, or the
// input holds no istiod.
func (s *Snapshot) ControlPlaneEnv(name string) string {
	for _, w := range s.WorkloadsIn(s.options.IstioNamespace) {
		if w.PodLabels["app"] != "istiod" || !s.isRevision(w.PodLabels[RevisionLabel]) {
			continue
		}
		for _, c := range w.Pod.Containers {
			for _, e := range c.Env {
				if e.Name == name {
					return e.Value
				}
			}
		}
	}
	return ""
}

// ControlPlaneSets says whether the revision's istiod has the feature set to
// the truth value given, such as "false".
func (s *Snapshot) ControlPlaneSets(name, value string) bool {
	return strings.EqualFold(s.ControlPlaneEnv(name), value)
}

// isRevision says whether a revision label names the revision in question.
func (s *Snapshot) isRevision(label string) bool {
	return label == s.revision || label == "" && s.revision == DefaultRevision
}

// GatewayWorkloads are the workloads that a Gateway of a namespace configures.
func (s *Snapshot) GatewayWorkloads(namespace string, selector map[string]string) []*Workload {
	return s.Select(s.GatewayScope(namespace), selector)
}

// GatewaySelects says whether a Gateway of a namespace configures anything at
// all; see [Snapshot.Selects].
func (s *Snapshot) GatewaySelects(namespace string, selector map[string]string) bool {
	return s.Selects(s.GatewayScope(namespace), selector)
}

// GatewayScope is the only namespace whose workloads a Gateway of a namespace
// can select; empty, as istiod has it unless told otherwise, for all.
func (s *Snapshot) GatewayScope(namespace string) string {
	if s.ControlPlaneSets("PILOT_SCOPE_GATEWAY_TO_NAMESPACE", "true") {
		return namespace
	}
	return ""
}

// IsGateway says whether a workload is a gateway, not an application: its
// proxy is all it runs.
func (w *Workload) IsGateway() bool {
	if strings.Contains(w.PodAnnotations["inject.istio.io/templates"], "gateway") || w.PodLabels["gateway.networking.k8s.io/gateway-name"] != "" {
		return true
	}
	for _, c := range w.Pod.Containers {
		if c.Name == ProxyContainer && len(c.Args) > 1 && c.Args[0] == "proxy" && c.Args[1] == "router" {
			return true
		}
	}
	return false
}
