package upgrade

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/Masterminds/semver/v3"
	"sigs.k8s.io/yaml"
)

// supportFile is which Kubernetes versions, and which versions of the Gateway
// API's CRDs, each minor release of Istio supports.
//
//go:embed support.yaml
var supportFile []byte

// support is what one minor release of Istio needs.
type support struct {
	// Kubernetes are the first and the last supported minor version.
	Kubernetes [2]string `json:"kubernetes"`
	// GatewayAPI is by CRD the oldest bundle version that istiod reads.
	GatewayAPI map[string]string `json:"gatewayAPI"`
	// Envoy is the minor version of the Envoy in the proxies.
	Envoy string `json:"envoy"`
}

var supported = sync.OnceValues(func() (map[string]support, error) {
	all := map[string]support{}
	err := yaml.UnmarshalStrict(supportFile, &all)
	return all, err
})

// kubernetes compares the cluster's version with what the target supports.
func (p *planner) kubernetes() error {
	all, err := supported()
	if err != nil {
		return err
	}
	s, ok := all[p.plan.To.Minor()]
	if !ok {
		p.undecided("kubernetes-version", because("which Kubernetes versions Istio "+p.plan.To.Minor()+" supports is not known here"))
		return nil
	}
	if p.in.Kubernetes == "" {
		p.undecided("kubernetes-version", because("there is no cluster to ask for its version"))
		return nil
	}
	v, err := semver.NewVersion(p.in.Kubernetes)
	if err != nil {
		p.undecided("kubernetes-version", because(fmt.Sprintf("the cluster calls its version %q", p.in.Kubernetes)))
		return nil //nolint:nilerr // said in the plan
	}
	first, last := semver.MustParse(s.Kubernetes[0]), semver.MustParse(s.Kubernetes[1])
	here := fmt.Sprintf("%d.%d", v.Major(), v.Minor())
	f := &Finding{
		ID: "kubernetes-version", What: fmt.Sprintf("Istio %s supports Kubernetes %s to %s.", p.plan.To.Minor(), s.Kubernetes[0], s.Kubernetes[1]),
		Link: "https://istio.io/latest/docs/releases/supported-releases/",
	}
	switch {
	case v.Minor() < first.Minor():
		f.Severity, f.Title = Blocker, fmt.Sprintf("Kubernetes %s is too old for Istio %s", here, p.plan.To.Minor())
		f.Todo = "Upgrade the cluster to " + s.Kubernetes[0] + " or newer first."
	case v.Minor() > last.Minor():
		f.Severity, f.Title = Action, fmt.Sprintf("Kubernetes %s is newer than what Istio %s was tested with", here, p.plan.To.Minor())
		f.Todo = "Ask for a release of Istio that supports it, or test this one well."
	default:
		return nil
	}
	p.add(f)
	return nil
}
