package upgrade

import (
	"fmt"
	"slices"
	"strings"
)

// Way is the minor releases between two versions, and how Istio supports it.
type Way struct {
	// Minors are the minor releases from the first to the last.
	Minors []string `json:"minors"`
	// Canary are the stops of an upgrade by revisions, two minors at a time.
	Canary []string `json:"canary"`
	// InPlace says whether one step in place is supported.
	InPlace bool `json:"inPlace"`
	Down    bool `json:"down"`
}

// newWay counts the minors: Istio supports one at a time in place, and two
// with revisions.
func newWay(from, to Version) Way {
	n := from.minorsTo(to)
	w := Way{Minors: []string{from.Minor()}, Canary: []string{from.Minor()}, Down: to.Compare(from) < 0}
	if w.Down {
		w.Minors, w.Canary = append(w.Minors, to.Minor()), append(w.Canary, to.Minor())
		return w
	}
	w.InPlace = n <= 1
	for i := 1; i <= n; i++ {
		w.Minors = append(w.Minors, from.plusMinors(i))
		if i == n || i%2 == 0 {
			w.Canary = append(w.Canary, from.plusMinors(i))
		}
	}
	return w
}

// String is the stops that are supported, as 1.27 -> 1.29 -> 1.31.
func (w Way) String() string { return strings.Join(w.Canary, " -> ") }

// way says what is not supported about the way.
func (p *planner) way() {
	from, to, w := p.plan.From, p.plan.To, p.plan.Way
	switch {
	case w.Down:
		f := &Finding{
			ID: "downgrade", Severity: Blocker, Title: fmt.Sprintf("%s is older than %s, which runs: this is a downgrade", to, from),
			What: "Rules describe the way up; what the older version does not know is not looked for here.",
			Why:  "Older CRDs drop the fields that newer configuration uses, and proxies must never be newer than their istiod.",
			Todo: "If a revision of " + to.Minor() + " still runs, move the tags back to it and restart the workloads. Otherwise install it as a revision of its own first.",
		}
		if from.Minor() == to.Minor() {
			f.Severity, f.Why = Action, "Patches of one minor release read the same configuration, so this is mostly a question of the fixes that are lost."
			f.Todo = "Restart the workloads before the control plane goes back: a proxy must not be newer than its istiod."
		}
		p.add(f)
	case len(w.Minors) == 3 && p.runs(to):
		// The new one stands beside the old one already.
	case len(w.Minors) == 3:
		p.add(&Finding{
			ID: "skips-a-minor", Severity: Action, Title: fmt.Sprintf("%s to %s skips a minor release", from.Minor(), to.Minor()),
			What: "Istio supports upgrades in place from one minor release to the next only; with revisions it supports two.",
			Todo: "Install " + to.String() + " as a revision beside the old one (see the steps), or go " + strings.Join(w.Minors, " -> ") + " in place.",
			Link: "https://istio.io/latest/docs/setup/upgrade/",
		})
	case len(w.Minors) > 3:
		p.add(&Finding{
			ID: "skips-minors", Severity: Blocker, Title: fmt.Sprintf("%s to %s is %d minor releases in one step, and Istio supports two", from.Minor(), to.Minor(), len(w.Minors)-1),
			What: "Old proxies are not tested against an istiod that is more than two minor releases newer.",
			Todo: "With revisions go " + strings.Join(w.Canary, " -> ") + "; in place go " + strings.Join(w.Minors, " -> ") + ". The rest of this plan counts all changes on the way.",
			Link: "https://istio.io/latest/docs/setup/upgrade/",
		})
	}
	p.older(from)
}

// runs says whether a control plane of the version, or a newer one, runs.
func (p *planner) runs(v Version) bool {
	return slices.ContainsFunc(p.fleet.planes, func(c *ControlPlane) bool { return c.Version.Compare(v) >= 0 })
}

// older says what lies before the first rule.
func (p *planner) older(from Version) {
	const oldest = 25 // the first minor release with rules
	if !p.plan.Way.Down && from.v.Minor() < oldest-1 {
		p.undecided("older-releases", because(fmt.Sprintf("what 1.%d to 1.%d changed is not in these rules: read their upgrade notes at https://istio.io/latest/news/releases/",
			from.v.Minor()+1, oldest-1)))
	}
}
