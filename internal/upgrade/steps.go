package upgrade

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Step is one step of the upgrade. The first that is not done is the next one.
type Step struct {
	// Name is install, tag, label, restart, gateways, remove or upgrade.
	Name string `json:"name"`
	Done bool   `json:"done"`
	What string `json:"what"`
	// Commands are what to run, in this order.
	Commands []string `json:"commands"`
	// InPlace is another way, where Istio supports it: upgrade what runs.
	InPlace string `json:"inPlace,omitempty"`
}

// stepper finds the steps of one upgrade.
type stepper struct {
	*planner
	// target is the version to reach in this upgrade: of a long way, the first stop.
	target     Version
	long       bool
	old, fresh []*ControlPlane
	// revision is the new control plane's.
	revision string
}

// steps are those of the upgrade, by what the cluster shows of it already. An
// upgrade goes by revisions: install the new one beside the old, move the tags,
// restart the workloads, remove the old one. In place, the first step replaces
// the old one, and only the restarts are left.
func (p *planner) steps() []Step {
	if p.plan.Way.Down || len(p.fleet.planes) == 0 {
		return []Step{}
	}
	s := &stepper{planner: p, target: p.plan.To, long: len(p.plan.Way.Canary) > 2}
	if s.long {
		s.target, _ = ParseVersion(p.plan.Way.Canary[1])
	}
	for _, plane := range p.fleet.planes {
		switch {
		case plane.Version.IsZero():
		case plane.Version.Compare(s.target) < 0:
			s.old = append(s.old, plane)
		default:
			s.fresh = append(s.fresh, plane)
		}
	}
	all := []Step{s.install(), s.tags(), s.labels(), s.restarts(), s.gateways(), s.remove()}
	if len(s.old) == 0 {
		all = []Step{s.upgraded(), s.restarts(), s.gateways()}
	}
	open := false
	return slices.DeleteFunc(all, func(step Step) bool {
		early := open && step.Done // nothing to do for it, which is no news before its turn
		open = open || !step.Done && step.What != ""
		return early || step.What == ""
	})
}

// install brings the new control plane.
func (s *stepper) install() Step {
	step := Step{Name: "install", Commands: []string{}}
	if len(s.fresh) > 0 {
		newest := s.fresh[len(s.fresh)-1]
		s.revision = newest.Revision
		step.Done, step.What = true, fmt.Sprintf("%s runs, revision %s", newest.Version, newest.Revision)
		return step
	}
	s.revision = s.target.revision()
	if s.long {
		s.revision = strings.ReplaceAll(s.target.Minor(), ".", "-")
	}
	step.What = "run Istio " + s.target.String() + " beside what runs, with the settings of now in FILE"
	if s.long {
		step.What = "run Istio " + s.target.Minor() + ", the first stop, beside what runs, with the settings of now in FILE"
	}
	step.Commands = []string{s.installCommand()}
	if s.plan.Way.InPlace && s.isEmbedded() {
		step.InPlace = "meshctl upgrade"
	}
	return step
}

// installCommand installs the target; other releases than that of this program
// need their own tool.
func (s *stepper) installCommand() string {
	if s.isEmbedded() {
		return "meshctl install --revision " + s.revision + " -f FILE"
	}
	return "istioctl install --revision " + s.revision + " -f FILE   # istioctl of Istio " + s.target.Minor()
}

func (s *stepper) isEmbedded() bool { return s.target.String() == s.in.Embedded }

// upgraded is the first step when every control plane is new.
func (s *stepper) upgraded() Step {
	newest := s.fresh[len(s.fresh)-1]
	s.revision = newest.Revision
	return Step{Name: "upgrade", Done: true, What: "every control plane runs " + s.fresh[0].Version.String() + " or newer", Commands: []string{}}
}

// tags points the tags of the old control planes to the new one.
func (s *stepper) tags() Step {
	step := Step{Name: "tag", Commands: []string{}}
	if s.unknown(&step, mesh.MutatingWebhookConfiguration) {
		step.What = "point the tags to revision " + s.revision
		step.Commands = []string{"meshctl tag list", s.setTag("TAG")}
		return step
	}
	var moved []string
	hasDefault := false
	for _, t := range s.fleet.tags {
		hasDefault = hasDefault || t.Name == defaultRevision
		switch {
		case s.isFresh(t.Revision):
			moved = append(moved, t.Name)
		case s.isOld(t.Revision):
			step.Commands = append(step.Commands, s.setTag(t.Name))
		}
	}
	if !hasDefault && s.isOld(defaultRevision) {
		// Namespaces with istio-injection=enabled go by the tag named default.
		step.Commands = append(step.Commands, s.setTag(defaultRevision))
	}
	switch step.Done = len(step.Commands) == 0; {
	case step.Done && len(moved) == 0:
		return Step{}
	case step.Done:
		step.What = "tags that point to the new control plane: " + strings.Join(moved, ", ")
	default:
		step.What = "point the tags to revision " + s.revision + ": new pods get the new proxy"
	}
	return step
}

// unknown says whether a step cannot be told because a kind is not known, and
// notes it.
func (s *stepper) unknown(step *Step, kind mesh.Kind) bool {
	g := s.facts.missing(kind)
	if !g.empty() && s.in.Live {
		s.undecided("step "+step.Name, g)
	}
	return !g.empty() && s.in.Live
}

func (s *stepper) setTag(name string) string {
	return fmt.Sprintf("meshctl tag set %s --revision %s --overwrite", name, s.revision)
}

func (s *stepper) isOld(revision string) bool {
	return slices.ContainsFunc(s.old, func(c *ControlPlane) bool { return c.Revision == revision })
}

func (s *stepper) isFresh(revision string) bool {
	return slices.ContainsFunc(s.fresh, func(c *ControlPlane) bool { return c.Revision == revision })
}

// labels is for namespaces that name an old revision instead of a tag.
func (s *stepper) labels() Step {
	step := Step{Name: "label", Commands: []string{}}
	for _, ns := range s.in.Snapshot.Namespaces() {
		name := ns.Labels[mesh.RevisionLabel]
		isTag := slices.ContainsFunc(s.fleet.tags, func(t Tag) bool { return t.Name == name })
		if name == "" || name == defaultRevision || isTag || ns.Labels[mesh.InjectionLabel] == "enabled" || !s.isOld(name) {
			continue
		}
		step.Commands = append(step.Commands, fmt.Sprintf("kubectl label namespace %s %s=%s --overwrite", ns.Name, mesh.RevisionLabel, s.revision))
	}
	if len(step.Commands) > 0 {
		step.What = "label the namespaces that name the old revision itself with the new one, or with a tag"
	}
	return step
}

// restarts is for the pods whose proxy is older than the target.
func (s *stepper) restarts() Step {
	step := Step{Name: "restart", Commands: []string{}}
	if s.unknown(&step, mesh.Pod) {
		step.What = "restart the workloads whose proxy is older"
		step.Commands = []string{"kubectl rollout restart deployment -n NAMESPACE"}
		return step
	}
	stale := map[[2]string]bool{}
	pods, bare := 0, 0
	for _, x := range s.fleet.proxies {
		if !s.stale(x) || x.fixed {
			continue
		}
		pods++
		if x.owner == "" || x.owner == "job" {
			bare++
			continue
		}
		stale[[2]string{x.pod.Namespace, x.owner}] = true
	}
	inOrder := slices.SortedFunc(maps.Keys(stale), func(a, b [2]string) int { return strings.Compare(a[0]+" "+a[1], b[0]+" "+b[1]) })
	for _, k := range inOrder {
		step.Commands = append(step.Commands, fmt.Sprintf("kubectl rollout restart %s -n %s", k[1], k[0]))
	}
	if step.Done = pods == 0; step.Done {
		step.What = "no injected pod has an older proxy than " + s.target.String()
		return step
	}
	step.What = plural(pods, "pod has", "pods have") + " an older proxy: restart them, namespace by namespace"
	if bare > 0 {
		step.What += fmt.Sprintf(" (%s no controller: delete and create again)", plural(bare, "has", "have"))
	}
	return step
}

// gateways is for proxies that no injector made: their Deployment names the
// image, so that a restart changes nothing.
func (s *stepper) gateways() Step {
	step := Step{Name: "gateways", Commands: []string{}}
	names := map[string]bool{}
	for _, x := range s.fleet.proxies {
		if s.stale(x) && x.fixed {
			names[x.pod.Namespace+"/"+x.app] = true
		}
	}
	if len(names) == 0 {
		return Step{}
	}
	step.What = "gateways that name their image themselves, so a restart changes nothing: " + some(slices.Sorted(maps.Keys(names))) + "; install them again, with FILE enabling them"
	step.Commands = []string{s.installCommand()}
	return step
}

// stale says whether the upgrade leaves somebody to renew a proxy. istiod
// renews the gateways that it deploys, and ztunnel comes with the install.
func (s *stepper) stale(x proxy) bool {
	return !x.ztunnel && !x.byIstiod && !x.version.IsZero() && x.version.Compare(s.target) < 0
}

// remove takes the old control planes away.
func (s *stepper) remove() Step {
	step := Step{Name: "remove", What: "remove the old control plane, when no proxy is connected to it any more", Commands: []string{}}
	for _, plane := range s.old {
		step.Commands = append(step.Commands, "meshctl uninstall --revision "+plane.Revision)
	}
	return step
}
