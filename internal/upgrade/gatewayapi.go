package upgrade

import (
	"strings"

	"github.com/Masterminds/semver/v3"
	"github.com/meshctl/meshctl/internal/mesh"
)

const (
	gatewayGroup     = "gateway.networking.k8s.io"
	bundleAnnotation = gatewayGroup + "/bundle-version"
)

// gatewayAPI looks for CRDs of the Gateway API that the target's istiod is too
// new for: it passes over all objects of such a kind, with a line in its log.
func (p *planner) gatewayAPI() error {
	all, err := supported()
	if err != nil {
		return err
	}
	if why := p.facts.missing(mesh.CustomResourceDefinition); !why.empty() {
		p.undecided("gateway-api-crds", why)
		return nil
	}
	needs := all[p.plan.To.Minor()].GatewayAPI
	f := &Finding{
		ID: "gateway-api-crds", Severity: Blocker, Title: "CRDs of the Gateway API are too old for Istio " + p.plan.To.Minor(),
		What: "istiod passes over every object of a kind whose CRD is older than it needs: such routes stop working, and only istiod's log says so.",
		Todo: "Bring the Gateway API's CRDs up to date before the upgrade: https://github.com/kubernetes-sigs/gateway-api/releases",
		Link: "https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/",
	}
	unused := true
	for _, crd := range p.in.Snapshot.CustomResourceDefinitions() {
		if crd.Spec == nil || crd.Spec.Group != gatewayGroup {
			continue
		}
		needed, ok := needs[crd.Spec.Names.Plural]
		if !ok {
			continue
		}
		has := crd.Annotations[bundleAnnotation]
		v, err := semver.NewVersion(has)
		if err == nil && release(v).Compare(semver.MustParse(needed)) >= 0 {
			continue
		}
		if has == "" {
			has = "of no known version"
		}
		kind := mesh.ForeignKind(gatewayGroup+"/v1", crd.Spec.Names.Kind)
		n := len(objectsOf(p.in.Snapshot, kind))
		unused = unused && n == 0
		f.Hits = append(f.Hits, hit(crd.At("metadata.annotations[%q]", bundleAnnotation), "is %s, must be v%s or newer%s", has, needed, count(n, crd.Spec.Names.Kind)))
	}
	if len(f.Hits) == 0 {
		return nil
	}
	if unused {
		f.Severity = Action
	}
	p.add(f)
	return nil
}

func release(v *semver.Version) *semver.Version {
	return semver.New(v.Major(), v.Minor(), v.Patch(), "", "")
}

func count(n int, kind string) string {
	if n == 0 {
		return ""
	}
	return "; " + plural(n, strings.TrimSuffix(kind, "s"), kind+"s") + " of it in use"
}
