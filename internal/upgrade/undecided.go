package upgrade

import (
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/mesh"
)

// Undecided is a rule or check that the input says too little for.
type Undecided struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	// Kinds are those that it would have to look at; none when that is not why.
	Kinds []string `json:"kinds"`
}

// gap is what the input lacks.
type gap struct {
	reason string
	kinds  []string
}

func (g gap) empty() bool { return g.reason == "" }

// because is a gap that has nothing to do with kinds.
func because(reason string) gap { return gap{reason: reason, kinds: []string{}} }

// Why kinds are missing, as it stands behind their names.
const (
	notAllowed = "cannot be listed with your permissions"
	inPartOnly = "could be listed in some namespaces only"
	notHeld    = "are not in the input"
)

// missing is which of the kinds the snapshot does not hold.
func (f *facts) missing(kinds ...mesh.Kind) gap {
	var g gap
	for _, k := range kinds {
		if f.knows(k) {
			continue
		}
		name, reason := k.Resource, notHeld
		if _, skipped := f.snapshot.Skipped(k); skipped {
			reason = notAllowed
		} else if f.live {
			reason = inPartOnly
		} else if isWorkload(k) {
			name = "workloads"
		}
		g.reason = reason
		if !slices.Contains(g.kinds, name) {
			g.kinds = append(g.kinds, name)
		}
	}
	slices.Sort(g.kinds)
	return g
}

func (f *facts) knows(k mesh.Kind) bool {
	switch {
	case k == mesh.ConfigMap:
		return f.snapshot.KnownIn(k, f.snapshot.IstioNamespace())
	case f.live:
		return f.snapshot.KnownEverywhere(k)
	case isWorkload(k):
		return len(f.snapshot.Workloads()) > 0 || f.snapshot.Complete()
	}
	return f.snapshot.Complete() || len(objectsOf(f.snapshot, k)) > 0
}

func isWorkload(k mesh.Kind) bool { return slices.Contains(workloadKinds(), k) }

// undecided notes a rule or check, once.
func (p *planner) undecided(id string, g gap) {
	for i := range p.plan.Undecided {
		if u := &p.plan.Undecided[i]; u.ID == id {
			u.Kinds = append(u.Kinds, g.kinds...)
			slices.Sort(u.Kinds)
			u.Kinds = slices.Compact(u.Kinds)
			return
		}
	}
	p.plan.Undecided = append(p.plan.Undecided, Undecided{ID: id, Reason: g.reason, Kinds: g.kinds})
}

// undecided writes one paragraph for each reason.
func (w *writer) undecided(all []Undecided) {
	if len(all) == 0 {
		return
	}
	w.line("")
	w.line("NOT DECIDED")
	ids, kinds := map[string][]string{}, map[string]map[string]bool{}
	var reasons []string
	for _, u := range all {
		if ids[u.Reason] == nil {
			reasons = append(reasons, u.Reason)
			kinds[u.Reason] = map[string]bool{}
		}
		ids[u.Reason] = append(ids[u.Reason], u.ID)
		for _, k := range u.Kinds {
			kinds[u.Reason][k] = true
		}
	}
	for _, reason := range reasons {
		names := strings.Join(ids[reason], ", ")
		if len(kinds[reason]) == 0 {
			w.wrapped("  ", names+": "+reason)
			continue
		}
		w.wrapped("  ", strings.Join(slices.Sorted(maps.Keys(kinds[reason])), ", ")+" "+reason+": "+names)
	}
}
