package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/test/bed"
)

// TestUpgradePlan upgrades a mesh by revisions as the plan's steps say, and
// watches the plan follow.
func TestUpgradePlan(t *testing.T) {
	t.Parallel()
	b, m := onBed(t, bed.Options{NoEnvoy: true})
	j := &job{meshctl: m, bed: b}
	r := m.want(t, 2, "upgrade", "plan")
	contains(t, "stderr", r.stderr, `there is no istiod in namespace "istio-system"`, "hint: ")

	m.want(t, 0, "install", "--profile", "minimal", "--set", "tag=1.29.10-distroless", "-y")
	applyText(t, b.REST(), upgradeShop)
	j.ready(t, "shop", "reviews")

	// Versions are compared as versions, and only what this mesh has is said.
	p := j.plan(t, 1, "--to", "1.30.9")
	p.has(t, "unhealthy-endpoints", -1) // since 1.31
	p = j.plan(t, 1)
	if p.From != "1.29.10" || p.To == "" || p.Kubernetes == "" {
		t.Errorf("from %q to %q on Kubernetes %q", p.From, p.To, p.Kubernetes)
	}
	p.has(t, "unhealthy-endpoints", 1)
	p.has(t, "envoy-filter-proxy-version", 1)
	p.has(t, "envoy-filters", 1)
	p.has(t, "skips-a-minor", 0)
	p.has(t, "gateway-api-crds", -1)
	p.has(t, "crds-lose", -1)
	p.has(t, "large-ambient-mesh", -1)
	p.next(t, "install", "meshctl install --revision")

	m.want(t, 0, "install", "--profile", "minimal", "--revision", "canary", "-y")
	p = j.plan(t, 1)
	p.has(t, "skips-a-minor", -1)
	p.next(t, "tag", "meshctl tag set default --revision canary --overwrite")

	m.want(t, 0, "tag", "set", "default", "--revision", "canary", "--overwrite", "-y")
	p = j.plan(t, 1)
	p.next(t, "restart", "kubectl rollout restart deployment -n shop")

	// Somebody who may read little is told what that costs.
	applyText(t, b.REST(), upgradeReader)
	r = m.want(t, 2, "upgrade", "plan", "--as", "reader", "--to", "1.30.9")
	contains(t, "stdout", r.stdout, "NOT DECIDED", "mutatingwebhookconfigurations", "cannot be listed with your permissions", "step tag")
}

// upgradePlan is what the test reads of a plan.
type upgradePlan struct {
	From, To, Kubernetes string
	Findings             []struct {
		ID   string
		Hits []struct {
			Object struct{ Kind, Namespace, Name string }
		}
	}
	Steps []struct {
		Name     string
		Done     bool
		Commands []string
	}
}

func (j *job) plan(t *testing.T, code int, args ...string) *upgradePlan {
	t.Helper()
	p := &upgradePlan{}
	decode(t, j.want(t, code, append([]string{"upgrade", "plan", "-o", "json"}, args...)...), p)
	return p
}

// has checks that a finding is there with so many objects; -1 is for one that
// must not be there, 0 for any number.
func (p *upgradePlan) has(t *testing.T, id string, hits int) {
	t.Helper()
	for _, f := range p.Findings {
		if f.ID != id {
			continue
		}
		if hits < 0 || hits > 0 && len(f.Hits) != hits {
			t.Errorf("%s has %v, want %d", id, f.Hits, hits)
		}
		return
	}
	if hits >= 0 {
		t.Errorf("%s is not among %v", id, p.Findings)
	}
}

// next checks which step is the next one, and that it has a command.
func (p *upgradePlan) next(t *testing.T, name, command string) {
	t.Helper()
	for _, s := range p.Steps {
		if s.Done {
			continue
		}
		if s.Name != name || !slices.ContainsFunc(s.Commands, func(c string) bool { return strings.HasPrefix(c, command) }) {
			t.Errorf("the next step is %s %v, want %s %s", s.Name, s.Commands, name, command)
		}
		return
	}
	t.Errorf("there is no next step: %v", p.Steps)
}

const upgradeShop = `
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews, namespace: shop}
spec:
  selector: {matchLabels: {app: reviews}}
  template:
    metadata: {labels: {app: reviews}}
    spec: {containers: [{name: app, image: example.com/reviews:1}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec:
  host: reviews
  trafficPolicy: {outlierDetection: {consecutive5xxErrors: 3}}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: old, namespace: shop}
spec:
  configPatches:
  - applyTo: CLUSTER
    match: {proxy: {proxyVersion: ^1\.29.*}}
    patch: {operation: MERGE, value: {connect_timeout: 1s}}
`

const upgradeReader = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules:
- apiGroups: ["", apps]
  resources: [namespaces, pods, deployments, statefulsets, daemonsets]
  verbs: [list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: User, name: reader, apiGroup: rbac.authorization.k8s.io}]
`
