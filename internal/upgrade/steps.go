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
	// Name is install, tag, label, restart, remove or upgrade.
	Name string `json:"name"`
	Done bool   `json:"done"`
	What string `json:"what"`
	// Commands are what to run, in this order.
	Commands []string `json:"commands"`
}

// steps are those of the upgrade, by what the cluster shows of it already. An
// upgrade goes by revisions: install the new one beside the old, move the tags,
// restart the workloads, remove the old one. In place, the first step replaces
// the old one, and only the restarts are left.
func (p *planner) steps() []Step {
	if p.plan.Way.Down || len(p.fleet.planes) == 0 {
		return []Step{}
	}
	// Of a long way, the first leg.
	target, leg := p.plan.To, p.plan.Way.Canary
	if len(leg) > 2 {
		target, _ = ParseVersion(leg[1])
	}
	var old, fresh []*ControlPlane
	for _, plane := range p.fleet.planes {
		switch {
		case plane.Version.IsZero():
		case plane.Version.Compare(target) < 0:
			old = append(old, plane)
		default:
			fresh = append(fresh, plane)
		}
	}
	install := Step{Name: "install", Done: len(fresh) > 0, What: "run " + legName(target, leg) + " beside what runs", Commands: []string{}}
	revision := target.revision()
	if install.Done {
		revision = fresh[len(fresh)-1].Revision
		install.What = fmt.Sprintf("%s runs, revision %s", fresh[len(fresh)-1].Version, revision)
	} else {
		if len(leg) > 2 {
			revision = strings.ReplaceAll(leg[1], ".", "-")
			install.Commands = append(install.Commands, "istioctl of "+leg[1]+": istioctl install --revision "+revision+" -f the file you installed with")
		} else {
			install.Commands = append(install.Commands, "meshctl install --revision "+revision+" -f the file you installed with")
		}
	}
	if len(old) == 0 {
		return p.inPlace(fresh)
	}
	steps := []Step{install, p.moveTags(old, revision), p.relabel(old, revision), p.restart(target), p.removeOld(old)}
	return slices.DeleteFunc(steps, func(s Step) bool { return s.What == "" })
}

func legName(target Version, leg []string) string {
	if len(leg) > 2 {
		return "Istio " + leg[1] + ", the first stop,"
	}
	return "Istio " + target.String()
}

// inPlace are the steps that are left when every control plane is new.
func (p *planner) inPlace(fresh []*ControlPlane) []Step {
	if len(fresh) == 0 {
		return []Step{}
	}
	newest := fresh[len(fresh)-1]
	upgraded := Step{Name: "upgrade", Done: true, What: fmt.Sprintf("every control plane runs %s or newer", newest.Version), Commands: []string{}}
	restart := p.restart(newest.Version)
	return []Step{upgraded, restart}
}

// moveTags points the tags of the old control planes to the new one.
func (p *planner) moveTags(old []*ControlPlane, revision string) Step {
	s := Step{Name: "tag", Commands: []string{}}
	var moved []string
	for _, t := range p.fleet.tags {
		switch {
		case t.Revision == revision:
			moved = append(moved, t.Name)
		case slices.ContainsFunc(old, func(c *ControlPlane) bool { return c.Revision == t.Revision }):
			s.Commands = append(s.Commands, fmt.Sprintf("meshctl tag set %s --revision %s --overwrite", t.Name, revision))
		}
	}
	hasDefault := slices.ContainsFunc(p.fleet.tags, func(t Tag) bool { return t.Name == defaultRevision })
	if !hasDefault {
		// Namespaces with istio-injection=enabled go by the tag named default.
		s.Commands = append(s.Commands, fmt.Sprintf("meshctl tag set default --revision %s --overwrite", revision))
	}
	s.Done = len(s.Commands) == 0
	s.What = "point the tags to revision " + revision + ": new pods get the new proxy"
	if s.Done {
		s.What = "the tags " + strings.Join(moved, ", ") + " point to revision " + revision
	}
	return s
}

// relabel is for namespaces that name an old revision instead of a tag.
func (p *planner) relabel(old []*ControlPlane, revision string) Step {
	s := Step{Name: "label", Commands: []string{}}
	for _, ns := range p.in.Snapshot.Namespaces() {
		name := ns.Labels[mesh.RevisionLabel]
		isTag := slices.ContainsFunc(p.fleet.tags, func(t Tag) bool { return t.Name == name })
		if name == "" || name == defaultRevision || isTag || ns.Labels[mesh.InjectionLabel] == "enabled" {
			continue
		}
		if slices.ContainsFunc(old, func(c *ControlPlane) bool { return c.Revision == name }) {
			s.Commands = append(s.Commands, fmt.Sprintf("kubectl label namespace %s %s=%s --overwrite", ns.Name, mesh.RevisionLabel, revision))
		}
	}
	if len(s.Commands) > 0 {
		s.What = "namespaces that name the old revision itself: name the new one, or a tag"
	}
	return s
}

// restart is for the pods whose proxy is older than the target.
func (p *planner) restart(target Version) Step {
	s := Step{Name: "restart", Commands: []string{}}
	stale := map[string]map[string]bool{}
	pods, bare := 0, 0
	for _, x := range p.fleet.proxies {
		if x.ztunnel || x.byIstiod || x.version.IsZero() || x.version.Compare(target) >= 0 {
			continue
		}
		pods++
		if x.owner == "" || x.owner == "job" {
			bare++
			continue
		}
		if stale[x.pod.Namespace] == nil {
			stale[x.pod.Namespace] = map[string]bool{}
		}
		stale[x.pod.Namespace][x.owner] = true
	}
	for _, ns := range slices.Sorted(maps.Keys(stale)) {
		for _, owner := range slices.Sorted(maps.Keys(stale[ns])) {
			s.Commands = append(s.Commands, fmt.Sprintf("kubectl rollout restart %s -n %s", owner, ns))
		}
	}
	if s.Done = pods == 0; s.Done {
		s.What = "no pod runs an older proxy than " + target.String()
		return s
	}
	s.What = plural(pods, "pod runs", "pods run") + " an older proxy: restart them, namespace by namespace"
	if bare > 0 {
		s.What += fmt.Sprintf(" (%s no controller: delete and create them again)", plural(bare, "has", "have"))
	}
	return s
}

// removeOld takes the old control planes away.
func (p *planner) removeOld(old []*ControlPlane) Step {
	s := Step{Name: "remove", What: "when no proxy is connected to it any more, remove the old control plane", Commands: []string{}}
	for _, plane := range old {
		s.Commands = append(s.Commands, "meshctl uninstall --revision "+plane.Revision)
	}
	return s
}
